import type { Config } from "../config.ts";
import type { Limiter } from "../limits/limiter.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Store } from "../model/store.ts";
import type { ArtifactSource, Runtime, Session } from "../runtime/types.ts";

/** The tier between memory and the store: artifacts by sha256, already checked. */
export interface ArtifactCache {
  get(sha256: string, size: number): Promise<ArtifactSource | undefined>;
  /** Keeps the bytes and says where to load from; when they cannot be kept, the bytes themselves. */
  put(sha256: string, bytes: Uint8Array): Promise<ArtifactSource>;
}

/** Answers by key, for a while. Never rejects: a cache that fails, or is slow, has nothing. */
export interface PredictionCache {
  get(key: string): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  put(key: string, bytes: Uint8Array, ttlSeconds: number): void | Promise<void>;
}

/** The files of the documentation page, as `swagger-ui-dist` has them. */
export const DOCUMENTATION_ASSETS = ["swagger-ui.css", "swagger-ui-bundle.js"] as const;
export type DocumentationAsset = (typeof DOCUMENTATION_ASSETS)[number];

/** What of a request tells where it came from. Hono's context is one. */
export interface RequestSource {
  /** What the server gives beside the request. */
  readonly env: unknown;
  readonly req: { header(name: string): string | undefined };
}

/** What an entry gives the service. */
export interface Platform {
  name: "cloudflare" | "lambda" | "node";
  config: Config;
  store: Store;
  artifacts: ArtifactCache;
  /** Resolves to the same runtime each time; the first call starts it. */
  runtime(): Promise<Runtime>;
  /** Wraps a loaded session as the configuration asks, such as for joined runs; absent where nothing can ask. */
  prepareSession?(manifest: Manifest, session: Session): Session;
  /** Milliseconds for durations; absent where the platform's clock stands still during computation. */
  now?: () => number;
  /** Lets what has arrived be read before work blocks the process; absent where nothing else can arrive. */
  turnEventLoop?: () => Promise<void>;
  /** Whether no request may settle a promise of another; false when absent. */
  isolatesRequests?: boolean;
  /** Whether the client of a request went away, where that can be known; takes Hono's `c.env`. */
  isClientGone?: (bindings: unknown) => boolean;
  /** Keeps the promise alive after the answer was sent, or after the client went away. */
  waitUntil: (promise: Promise<unknown>) => void;
  /** Of the text's UTF-8 bytes, in hexadecimal; a promise only where the platform has nothing synchronous. */
  sha256: (text: string) => string | Promise<string>;
  /** Reads a secret that the platform keeps by name; undefined where there is none of this name. */
  readSecret: (name: string) => Promise<string | undefined>;
  limiter: Limiter;
  /** Whether each of many instances counts rates for itself, so that together they let through more than the rate. */
  countsPerInstance?: boolean;
  predictionCache: PredictionCache;
  /** The address that a request came from; empty when there is none. */
  clientAddress(request: RequestSource): string;
  /** A file of the documentation page; undefined where it was not deployed. */
  asset(name: DocumentationAsset): Promise<ReadableStream | ArrayBuffer | undefined>;
  /** Writes one structured line to the platform's log. */
  log(entry: Record<string, unknown>): void;
}
