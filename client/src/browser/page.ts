import { NearcastClientError } from "../error.ts";
import type { ClientOptions } from "../options.ts";
import type { ModelDescription } from "../types.ts";
import { PART_BYTES } from "./download.ts";
import { readFile } from "./files.ts";
import { keepDescription, keepOnly, keptDescription } from "./page-cache.ts";
import { startPageWorker, WorkerEnded, type PageWorker } from "./page-worker.ts";
import { isSupported, savesData, tooMuch, type WhyEdge } from "./reasons.ts";
import { areSame, releaseOf, type Release } from "./release.ts";
import { compileRuntime } from "./runtime-file.ts";

export interface PageOptions {
  /** The service's address, with a slash at its end. */
  base: URL;
  name: string;
  client: ClientOptions;
  describe: () => Promise<ModelDescription>;
  wasmUrl: URL;
  workerUrl: URL | undefined;
  /** Whether size, memory and the wish to save data are left out of account. */
  always: boolean;
  maxBytes: number;
  runTimeoutMs: number;
  checkEveryMs: number;
}

/** What the page computed, and with what. */
export interface PageAnswer {
  version: string;
  digest: string;
  outputs: unknown;
}

/** The released version of one model, in a worker of the page. */
export interface Page {
  isLoaded: () => boolean;
  /** Why the page does not answer now. Undefined where it may, or may yet. */
  refusal: () => WhyEdge | undefined;
  /** Looks for another release when it is time, and loads what is not loaded. Throws when the page is closed. */
  refresh: () => void;
  /** Looks for another release now. Resolves when it is loaded. */
  update: () => Promise<void>;
  /** Loads the version if need be, and runs it. */
  predict: (body: string, signal: AbortSignal) => Promise<PageAnswer>;
  close: () => void;
}

/** The version does not run here. */
class Refused extends NearcastClientError {
  readonly why: WhyEdge;

  constructor(why: WhyEdge, detail: string) {
    super("not_in_page", detail);
    this.why = why;
  }
}

const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 3_600_000;
const MOST_ATTEMPTS = 3;

export function createPage(options: PageOptions): Page {
  const { base, name, always } = options;
  const of = new URL(`v1/models/${encodeURIComponent(name)}`, base).href;
  const closing = new AbortController();
  const { signal: closed } = closing;
  let release: Release | undefined;
  let checkedAt = -Infinity;
  let current: { worker: PageWorker; release: Release } | undefined;
  let loading: Promise<PageWorker> | undefined;
  let refused: WhyEdge | undefined;
  let failures = 0;
  let pausedUntil = -Infinity;

  const isDue = () => performance.now() - checkedAt >= options.checkEveryMs;
  const isLoaded = () => current !== undefined && !current.worker.hasEnded();

  function refuse(why: WhyEdge, detail: string): never {
    refused = why;
    throw new Refused(why, `The page does not run ${name}: ${detail}.`);
  }

  async function drop(): Promise<void> {
    current?.worker.end();
    current = release = undefined;
    await keepOnly(of, []);
  }

  /** Finds the release. Without an answer, it is the one that was known last. */
  async function check(): Promise<Release> {
    checkedAt = performance.now();
    let description: ModelDescription | undefined;
    try {
      description = await options.describe();
      // What is kept is only what a page may use.
      if (description["browser"] === true) await keepDescription(of, description);
    } catch (error) {
      // Whoever may not ask any more does not answer from what was kept.
      if (error instanceof NearcastClientError && [401, 403, 404].includes(error.status)) {
        await drop();
        throw error;
      }
      description =
        release?.description ?? ((await keptDescription(of)) as ModelDescription | undefined);
      if (!description) throw error;
    }
    const found = releaseOf(description);
    if (release && !areSame(release, found)) failures = 0;
    if (description["browser"] !== true) {
      await drop();
      refuse(
        "not_for_pages",
        `the manifest of version ${found.version} does not have "browser": true`,
      );
    }
    release = found;
    return found;
  }

  async function loadRelease(): Promise<PageWorker> {
    if (!isSupported()) refuse("unsupported", "it needs workers, WebAssembly and a secure context");
    if (!always && !isLoaded() && savesData()) refuse("save_data", "the user saves data");
    const wanted = release && !isDue() ? release : await check();
    if (current && isLoaded() && areSame(current.release, wanted)) return current.worker;
    const why = always ? undefined : tooMuch(wanted, options.maxBytes);
    if (why) refuse(why, `its files have ${wanted.bytes} bytes`);
    refused = undefined;
    const [runtime, files] = await Promise.all([
      compileRuntime(options.wasmUrl, closed),
      filesOf(wanted),
    ]);
    await current?.worker.retire();
    closed.throwIfAborted();
    const version = { description: wanted.description, files, runtime };
    const worker = await startPageWorker(options.workerUrl, version, options.runTimeoutMs);
    if (closed.aborted) worker.end();
    current = { worker, release: wanted };
    await keepOnly(of, wanted.files);
    return worker;
  }

  async function filesOf({ version, files }: Release) {
    const { key, fetch: send = fetch.bind(globalThis) } = options.client;
    const headers = new Headers(options.client.headers);
    if (key !== undefined) headers.set("Authorization", `Bearer ${key}`);
    const read = files.map(async (file) => {
      const path = `versions/${encodeURIComponent(version)}/files/${encodeURIComponent(file.file)}`;
      const from = {
        url: new URL(`${of}/${path}`),
        send,
        headers,
        signal: closed,
        partBytes: PART_BYTES,
      };
      return [file.file, await readFile(of, file, from)] as const;
    });
    return new Map(await Promise.all(read));
  }

  function load(): Promise<PageWorker> {
    loading ??= loadRelease()
      .catch((error: unknown) => {
        if (error instanceof Refused) throw error;
        noteFailure();
        if (error instanceof NearcastClientError) throw error;
        const detail = `The page cannot load ${name}: ${String(error)}.`;
        throw new NearcastClientError("runtime_failed", detail, { status: 503, cause: error });
      })
      .finally(() => (loading = undefined));
    return loading;
  }

  /** The first failure may be chance. After each further one, the page waits twice as long. */
  function noteFailure(): void {
    failures += 1;
    const pauseMs = failures > 1 ? FIRST_PAUSE_MS * 2 ** (failures - 2) : 0;
    pausedUntil = performance.now() + Math.min(pauseMs, LONGEST_PAUSE_MS);
  }

  async function predict(body: string, signal: AbortSignal): Promise<PageAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      if (!isLoaded()) await load();
      const { worker, release } = current as NonNullable<typeof current>;
      try {
        const text = await worker.predict(body, signal);
        failures = 0;
        const { outputs } = JSON.parse(text) as { outputs: unknown };
        return { version: release.version, digest: `sha256:${release.digest}`, outputs };
      } catch (error) {
        if (error instanceof WorkerEnded && attempt < MOST_ATTEMPTS) continue;
        if (error instanceof NearcastClientError && error.status >= 500) noteFailure();
        throw error;
      }
    }
  }

  return {
    isLoaded,
    refusal: () => (performance.now() < pausedUntil && !isLoaded() ? "page_failed" : refused),
    refresh() {
      closed.throwIfAborted();
      const isPaused = performance.now() < pausedUntil;
      if (isPaused || (isLoaded() && !isDue())) return;
      load().catch(() => undefined);
    },
    async update() {
      checkedAt = -Infinity;
      await loading?.catch(() => undefined);
      await load();
    },
    predict,
    close() {
      closing.abort(new NearcastClientError("not_in_page", `The local model ${name} is closed.`));
      current?.worker.end();
      current = undefined;
    },
  };
}
