import type { Spans } from "../observe/phases.ts";
import type { Config } from "../config.ts";
import type { FeatureSource } from "../features/source.ts";
import type { Consume, Queue } from "../jobs/queue.ts";
import type { Limiter } from "../limits/limiter.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Isolate } from "../model/too-large.ts";
import type { Store } from "../model/store.ts";
import type { Counters } from "../observe/counters.ts";
import type { Notes } from "../observe/feedback/notes.ts";
import type { ArtifactSource, Runtime, Session } from "../runtime/types.ts";
import type { WebhookPort } from "../webhooks/post.ts";
import type { DecodeElsewhere } from "../tasks/image/elsewhere.ts";
import type { LoadDecoder } from "../tasks/image/formats.ts";

/** The tier between memory and the store: artifacts by sha256, already checked. */
export interface ArtifactCache {
  get(sha256: string, size: number): Promise<ArtifactSource | undefined>;
  /** Keeps the bytes and says where to load them from. Returns the bytes themselves when they cannot be kept. */
  put(sha256: string, bytes: Uint8Array): Promise<ArtifactSource>;
}

/** Keeps answers by key, for a while. Never rejects: a cache that fails or is slow acts as empty. */
export interface PredictionCache {
  get(key: string): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  put(key: string, bytes: Uint8Array, ttlSeconds: number): void | Promise<void>;
}

/** The files of the pages: those of `swagger-ui-dist`, and the playground's. */
export const PAGE_ASSETS = [
  "swagger-ui.css",
  "swagger-ui-bundle.js",
  "playground.css",
  "playground.js",
] as const;
export type PageAsset = (typeof PAGE_ASSETS)[number];

export interface Asset {
  body: ReadableStream | Uint8Array<ArrayBuffer>;
  /** Changes with the bytes (RFC 9110, section 8.8.3). */
  etag: string;
  isGzip: boolean;
}

/** The part of a request that tells where it came from. Hono's context has it. */
export interface RequestSource {
  /** What the server gives beside the request. */
  readonly env: unknown;
  readonly req: { header(name: string): string | undefined };
}

/** Gives a header field of a request, or all of them by their names in lower case. */
export interface ReadHeader {
  (name: string): string | undefined;
  (): Record<string, string>;
}

/** Makes an answer from its body, status and header fields. */
export type CreateAnswer = (
  body: string | Uint8Array<ArrayBuffer> | ArrayBuffer | ReadableStream | null,
  init: { status: number; headers: Record<string, string> },
) => Response;

/**
 * Calls `send` once, within about the schedule's time. Returns false where it does not: then it is asked again the next
 * time that there is something to send.
 */
export type Schedule = (send: () => Promise<void>) => boolean;

/** What an entry gives the service. */
export interface Platform {
  name: "cloudflare" | "lambda" | "node";
  config: Config;
  store: Store;
  artifacts: ArtifactCache;
  /** The versions that models had when this was deployed. They are read together with the releases that may name them. */
  expected?: ReadonlyMap<string, string>;
  /**
   * The text of such versions' manifests, by model, where the artifacts are at hand. Their sessions are loaded while the
   * store is read.
   */
  anticipated?: ReadonlyMap<string, string>;
  /** Resolves to the same runtime each time. The first call starts it. */
  runtime(): Promise<Runtime>;
  /** The memory that bounds a version beside `SESSION_BUDGET_MB`. Absent where nothing else does. */
  isolate?: Isolate;
  /** Bytes of memory of a process that runs models on native ONNX Runtime. Absent where models run on WASM. */
  processBytes?: number;
  /** Wraps a loaded session as the configuration asks, such as to join runs. Absent where no setting can ask for it. */
  prepareSession?(manifest: Manifest, session: Session): Session;
  /** What the process has taken. Absent where nobody can know, or where it is not worth knowing. */
  usage?: () => { cpuSeconds: number; residentBytes: number; startedAtSeconds: number };
  /** Bytes of memory that the process can still take within its container's limit. Absent where that is not known. */
  availableBytes?: () => number;
  /** Milliseconds for durations. Absent where the platform's clock stands still during computation. */
  now?: () => number;
  /** Makes work spans of the platform's own tracing. Absent where it has none. */
  spans?: Spans;
  /** Reads the requests that have arrived, before work blocks the process. Absent where no other request can arrive. */
  turnEventLoop?: () => Promise<void>;
  /** Whether no request may settle a promise of another. False when absent. */
  isolatesRequests?: boolean;
  /** Whether the client of a request went away. Takes Hono's `c.env`. Absent where that cannot be known. */
  isClientGone?: (bindings: unknown) => boolean;
  /**
   * Resolves when the answer of a request was sent, or its client is gone. Takes Hono's `c.env`. Absent where answers
   * leave only after all work: no copies are made there for versions on trial.
   */
  whenSent?: (bindings: unknown) => Promise<void>;
  /** Whether an answer leaves only when all of it is there, so that no stream may last. False when absent. */
  answersWhole?: boolean;
  /** Makes answers where a plain `Response` costs too much. */
  createAnswer?: CreateAnswer;
  /**
   * Gives a function that sends fields after the answer's body, before the answer is made. Takes Hono's `c.env`. Undefined
   * for a request that cannot have them.
   */
  trailersOf?: (bindings: unknown) => ((fields: Record<string, string>) => void) | undefined;
  /**
   * Reads the body of a request that has a length, straight from its connection. Takes Hono's `c.env` and `c.req.raw`.
   * Undefined where the `Request` must be read. Absent where it always must.
   */
  readConnection?: (
    bindings: unknown,
    raw: Request,
  ) => Promise<Uint8Array<ArrayBuffer>> | undefined;
  /**
   * A faster `c.req.header` for a request. Takes Hono's `c.env` and `c.req.raw`. Undefined where the `Request` must be read.
   * Absent where it always must.
   */
  headerReader?: (bindings: unknown, raw: Request) => ReadHeader | undefined;
  /** Whether bytes of a request's body were replaced on the way here. Absent where that cannot happen. */
  hasLostBytes?: (request: RequestSource) => boolean;
  /** Keeps the promise's work alive after the answer was sent, or after the client went away. */
  waitUntil: (promise: Promise<unknown>) => void;
  /** Makes the schedule of work that is done together for several requests, after their answers where that is possible. */
  createSchedule: (everyMs: number) => Schedule;
  /** The digest of the text's UTF-8 bytes, in hexadecimal. A promise only where the platform has no synchronous one. */
  sha256: (text: string) => string | Promise<string>;
  /** Reads a secret from the platform by its name. Undefined where there is no secret of this name. */
  readSecret: (name: string) => Promise<string | undefined>;
  /**
   * Gives the compiled decoder of an image format. Called once for each model that takes images, from the first such
   * model on.
   */
  loadDecoder: LoadDecoder;
  /** Decodes large images in a thread. Absent where there are no threads, or nobody else to wait. */
  decodeElsewhere?: DecodeElsewhere | undefined;
  limiter: Limiter;
  /** Whether each instance counts rates for itself, so that many together let through more than the rate. */
  countsPerInstance?: boolean;
  predictionCache: PredictionCache;
  /** Sums over all instances, or over this one where there is no place for all. */
  counters: Counters;
  /** Kept predictions, for feedback. */
  notes: Notes;
  /** Where jobs lie and wait. Absent where there is no queue: then every call is answered at once. */
  jobs?: {
    store: Store;
    /**
     * Whether a rule of the store itself removes old objects below `.jobs/`. Elsewhere the queue brings each job back when
     * its time is over.
     */
    storeExpires?: boolean;
    /** Whether the process stands still between two messages: what a message begins must end with it. */
    standsStill?: boolean;
    queue: Queue;
    /** Absent where the entry runs jobs itself, with messages that the platform gave it. */
    consume?: Consume;
  };
  /** Opens the source of features of this name. Undefined where `FEATURE_SOURCES` has none. */
  openFeatures?(name: string): FeatureSource | undefined;
  webhooks: WebhookPort;
  /** The address that a request came from. Empty when there is none. */
  clientAddress(request: RequestSource): string;
  /**
   * A file of a page. It is compressed if the client accepts that and the platform's edge does not
   * compress. Undefined where the file was not deployed.
   */
  asset(name: PageAsset, client: { takesGzip: boolean }): Promise<Asset | undefined>;
  /** Does the work again and again, without keeping the process alive. Absent where only requests can do work. */
  every?: (milliseconds: number, work: () => Promise<void>) => void;
  /** Writes one structured line to the platform's log. */
  log(entry: Record<string, unknown>): void;
  /** How many lines of the log could not be written. Absent where nobody can know. */
  lostLogLines?: () => number;
}
