import { LRUCache } from "lru-cache";
import { ageOf } from "../age.ts";
import { NearcastError } from "../errors.ts";
import type { LoadRecord } from "../observe/observer.ts";
import type { Platform } from "../platform/types.ts";
import type { Runtime, Session } from "../runtime/types.ts";
import type { Manifest, PackageFile } from "./manifest.ts";
import type { Registry } from "./registry.ts";
import { fileBytesOf, sessionBytes } from "./session-bytes.ts";
import { createSingleFlight } from "./single-flight.ts";
import { roomOf, tooLarge, type TooLarge } from "./too-large.ts";

interface LoadedSession {
  session: Session;
  running: number;
  evicted: boolean;
}

/** A session that stays in memory until the lease's `end` is called. */
export interface SessionLease {
  session: Session;
  end: () => void;
}

export interface Sessions {
  /** Gets the artifact's session. Only where it must be loaded, it is a promise. Every lease must be ended. */
  acquire(manifest: Manifest): SessionLease | Promise<SessionLease>;
  /**
   * Like `acquire`, for work that nobody waits for: it takes only memory that is free. Other sessions stay, and the next
   * one that needs the memory gets it. Undefined where there is not enough.
   */
  acquireSpare(manifest: Manifest): Promise<SessionLease | undefined>;
  /** Whether the artifact's session is in memory. */
  has(manifest: Manifest): boolean;
  /**
   * Takes the artifact's session out of memory. It is released after its last run. An artifact that failed may then be
   * loaded again.
   */
  evict(manifest: Manifest): void;
  /** How many sessions are in memory. */
  count(): number;
}

/** How long an artifact is refused, without a new attempt, after ONNX Runtime could not load it. */
const FAILED_MS = 15_000;
const KNOWN_FAILURES = 1000;

/** The most memory that loading takes, as a multiple of the session: its files are read, parsed and prepared. */
const MEMORY_TO_LOAD = 2;

/**
 * Sessions by the digests of their files. When they take more memory than the budget, the least recently used
 * session is released after its last run. If the process has enough memory, it loads the new session before it releases
 * others, so that an artifact that cannot load costs no other model its session. Rejects for a corrupt artifact or a
 * full budget.
 */
export function createSessions(
  platform: Platform,
  registry: Registry,
  tell: (record: LoadRecord) => void = () => undefined,
): Sessions {
  const { sessionBudgetBytes, storeTimeoutMs } = platform.config;
  const sessions = new LRUCache<string, LoadedSession>({
    maxSize: sessionBudgetBytes,
    dispose(loaded, key) {
      spare.delete(key);
      loaded.evicted = true;
      releaseWhenIdle(loaded);
    },
  });
  /** Sessions that only spare work has used. They make room first. */
  const spare = new Set<string>();
  const failures = new LRUCache<string, { error: NearcastError; at: number }>({
    max: KNOWN_FAILURES,
  });
  const share = createSingleFlight({
    waitUntil: platform.waitUntil,
    patienceMs: storeTimeoutMs * 2,
  });

  function releaseWhenIdle(loaded: LoadedSession): void {
    if (loaded.evicted && loaded.running === 0) platform.waitUntil(loaded.session.release());
  }

  /** Drops all lost sessions at once: their runtime can be collected only when no session of it is held. */
  function forgetLost(): void {
    const lost = [...sessions.keys()].filter((key) => sessions.peek(key)?.session.lost?.());
    for (const key of lost) sessions.delete(key);
  }

  async function loadAndTell(
    manifest: Manifest,
    options?: { isSpare: true },
  ): Promise<LoadedSession> {
    const { name: model, version } = manifest;
    const start = platform.now?.();
    const record = (error?: unknown): void => {
      const milliseconds = start === undefined ? undefined : (platform.now?.() ?? start) - start;
      tell({ model, version, milliseconds, error });
    };
    try {
      const loaded = await load(manifest, options);
      record();
      return loaded;
    } catch (error) {
      if (!(error instanceof NoSpareMemory)) record(error);
      throw error;
    }
  }

  async function load(manifest: Manifest, { isSpare = false } = {}): Promise<LoadedSession> {
    const key = keyOf(manifest);
    const failed = failures.get(key);
    if (failed && ageOf(failed.at) < FAILED_MS) throw failed.error;
    const { externalData = [], ...artifact } = manifest.artifact;
    const fileBytes = fileBytesOf(manifest);
    const over = tooLarge(manifest, roomOf(platform));
    // By an estimate alone nothing is refused that might fit.
    if (over && !over.isEstimate) throw refused(manifest, over);
    const [runtime, source, weights] = await Promise.all([
      platform.runtime(),
      sourceOf(manifest, artifact),
      Promise.all(
        externalData.map(async (file) => ({
          name: file.file,
          source: await sourceOf(manifest, file),
        })),
      ),
    ]);
    const memory = sessionBytes(manifest, fileBytes, runtime);
    // A session that takes more than the whole budget has it alone.
    const size = Math.min(memory, sessionBudgetBytes);
    if (isSpare) checkSpare(runtime, memory);
    else if (!hasMemoryBeside(runtime, memory))
      while (sessions.calculatedSize + size > sessionBudgetBytes && popOne());
    const session = await runtime.load(source, weights).catch((cause: unknown) => {
      const error = cause instanceof NearcastError ? cause : unloadable(manifest, cause);
      if (isOfArtifact(error, runtime)) failures.set(key, { error, at: Date.now() });
      throw error;
    });
    const prepared = platform.prepareSession?.(manifest, session) ?? session;
    const loaded = { session: prepared, running: 0, evicted: false };
    const isOver = () => sessions.calculatedSize + size > sessionBudgetBytes;
    if (isSpare && isOver()) {
      // Others were loaded meanwhile.
      platform.waitUntil(session.release());
      throw new NoSpareMemory();
    }
    while (isOver() && popSpare());
    sessions.set(key, loaded, { size });
    if (isSpare) spare.add(key);
    return loaded;
  }

  function popSpare(): boolean {
    const [key] = spare;
    return key !== undefined && sessions.delete(key);
  }

  function popOne(): unknown {
    return popSpare() || sessions.pop();
  }

  /** Throws {@link NoSpareMemory} if the session would need what others have, or more than the process can take. */
  function checkSpare(runtime: Runtime, memory: number): void {
    const isFree = sessions.calculatedSize + memory <= sessionBudgetBytes;
    const isThere = runtime.name === "wasm" || hasMemoryBeside(runtime, memory);
    if (!isFree || !isThere) throw new NoSpareMemory();
  }

  function lease(loaded: LoadedSession): SessionLease {
    loaded.running += 1;
    return {
      session: loaded.session,
      end() {
        loaded.running -= 1;
        releaseWhenIdle(loaded);
      },
    };
  }

  /**
   * Whether the new session fits beside the old ones. False for WASM, whose memory is bounded and never shrinks: there
   * old sessions make room first.
   */
  function hasMemoryBeside(runtime: Runtime, size: number): boolean {
    const available = platform.availableBytes?.() ?? 0;
    return runtime.name === "native" && available > size * MEMORY_TO_LOAD;
  }

  async function sourceOf(manifest: Manifest, file: PackageFile) {
    return (
      (await platform.artifacts.get(file.sha256, file.bytes)) ??
      platform.artifacts.put(file.sha256, await registry.file(manifest, file))
    );
  }

  function use(key: string, loaded: LoadedSession): SessionLease {
    spare.delete(key);
    return lease(loaded);
  }

  async function loadShared(key: string, manifest: Manifest): Promise<SessionLease> {
    for (;;) {
      forgetLost();
      const loaded = await share(key, () => loadAndTell(manifest));
      // It may have been evicted before this waiter got it.
      if (isUsable(loaded)) return use(key, loaded);
    }
  }

  return {
    acquire(manifest) {
      const key = keyOf(manifest);
      const loaded = sessions.get(key);
      return loaded && isUsable(loaded) ? use(key, loaded) : loadShared(key, manifest);
    },
    async acquireSpare(manifest) {
      const key = keyOf(manifest);
      // Does not count as a use: it must not outlive what is asked for.
      const known = sessions.peek(key);
      if (known && !known.session.lost?.()) return lease(known);
      try {
        const load = () => loadAndTell(manifest, { isSpare: true });
        const loaded = await share(`spare ${key}`, load);
        // Others needed the memory at once.
        return loaded.evicted ? undefined : lease(loaded);
      } catch (error) {
        if (error instanceof NoSpareMemory) return undefined;
        throw error;
      }
    },
    has(manifest) {
      const loaded = sessions.peek(keyOf(manifest));
      return loaded !== undefined && !loaded.session.lost?.();
    },
    evict(manifest) {
      sessions.delete(keyOf(manifest));
      failures.delete(keyOf(manifest));
    },
    count() {
      forgetLost();
      return sessions.size;
    },
  };
}

function isUsable({ evicted, session }: LoadedSession): boolean {
  return !evicted && !session.lost?.();
}

class NoSpareMemory extends Error {}

/** The digests of the artifact and its weights: the same graph with other weights needs another session. */
function keyOf({ artifact }: Manifest): string {
  if (!artifact.externalData) return artifact.sha256;
  return [artifact, ...artifact.externalData].map(({ sha256 }) => sha256).join(" ");
}

function refused({ name }: Manifest, { what, bytes, limit }: TooLarge): NearcastError {
  const detail =
    what === "files"
      ? `The artifact of ${name} has ${bytes} bytes, the session budget is ${limit}. SESSION_BUDGET_MB raises it; nearcast quantize makes the model smaller.`
      : `${name} takes ${bytes} bytes of ${what}, the limit is ${limit}. nearcast optimize or quantize makes the model smaller.`;
  return new NearcastError("model_too_large", detail);
}

function unloadable({ name, version }: Manifest, cause: unknown): NearcastError {
  const detail = `ONNX Runtime cannot load the artifact of ${name} version ${version}.`;
  return new NearcastError("model_corrupt", detail, { cause });
}

/** Whether a failure is the artifact's own. A breakdown in WASM may come from another model. */
function isOfArtifact({ code }: NearcastError, { name }: Runtime): boolean {
  return code !== "runtime_failed" || name === "native";
}
