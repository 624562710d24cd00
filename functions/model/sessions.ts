import { LRUCache } from "lru-cache";
import { NearcastError } from "../errors.ts";
import type { Platform } from "../platform/types.ts";
import type { Session } from "../runtime/types.ts";
import type { Manifest, PackageFile } from "./manifest.ts";
import type { Registry } from "./registry.ts";
import { createSingleFlight } from "./single-flight.ts";

interface LoadedSession {
  session: Session;
  running: number;
  evicted: boolean;
}

/** A session that stays in memory until `end` is called. */
export interface SessionLease {
  session: Session;
  end: () => void;
}

export interface Sessions {
  /** The artifact's session. Loads it when it is not in memory. Every lease must be ended. */
  acquire(manifest: Manifest): Promise<SessionLease>;
  /** Whether the artifact's session is in memory. */
  has(manifest: Manifest): boolean;
  /** Takes the artifact's session out of memory. It is released after its last run. */
  evict(manifest: Manifest): void;
  /** How many sessions are in memory. */
  count(): number;
}

/**
 * Sessions by the digests of their files. When the files add up to more than the budget, the least recently
 * used session is released, after its last run. A corrupt artifact or a full budget rejects.
 */
export function createSessions(platform: Platform, registry: Registry): Sessions {
  const { sessionBudgetBytes, storeTimeoutMs } = platform.config;
  const sessions = new LRUCache<string, LoadedSession>({
    maxSize: sessionBudgetBytes,
    dispose(loaded) {
      loaded.evicted = true;
      releaseWhenIdle(loaded);
    },
  });
  const share = createSingleFlight({
    waitUntil: platform.waitUntil,
    patienceMs: storeTimeoutMs * 2,
  });

  function releaseWhenIdle(loaded: LoadedSession): void {
    if (loaded.evicted && loaded.running === 0) platform.waitUntil(loaded.session.release());
  }

  /** All at once: their runtime can be collected only when none of them is held any more. */
  function forgetLost(): void {
    const lost = [...sessions.keys()].filter((key) => sessions.peek(key)?.session.lost?.());
    for (const key of lost) sessions.delete(key);
  }

  async function load(manifest: Manifest): Promise<LoadedSession> {
    const { externalData = [], ...artifact } = manifest.artifact;
    const size = externalData.reduce((sum, { bytes }) => sum + bytes, artifact.bytes);
    if (size > sessionBudgetBytes)
      throw new NearcastError(
        "model_too_large",
        `The artifact of ${manifest.name} has ${size} bytes, the session budget is ${sessionBudgetBytes}. SESSION_BUDGET_MB raises it; nearcast quantize makes the model smaller.`,
      );
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
    // Makes room first, so that the old and the new session are not in memory together.
    while (sessions.calculatedSize + size > sessionBudgetBytes && sessions.pop());
    const session = await runtime.load(source, weights).catch((cause: unknown) => {
      if (cause instanceof NearcastError) throw cause;
      throw new NearcastError(
        "model_corrupt",
        `ONNX Runtime cannot load the artifact of ${manifest.name} version ${manifest.version}.`,
        { cause },
      );
    });
    const prepared = platform.prepareSession?.(manifest, session) ?? session;
    const loaded = { session: prepared, running: 0, evicted: false };
    sessions.set(keyOf(manifest), loaded, { size });
    return loaded;
  }

  async function sourceOf(manifest: Manifest, file: PackageFile) {
    return (
      (await platform.artifacts.get(file.sha256, file.bytes)) ??
      platform.artifacts.put(file.sha256, await registry.file(manifest, file))
    );
  }

  return {
    async acquire(manifest) {
      const key = keyOf(manifest);
      let loaded = sessions.get(key);
      // Reloads a session that was evicted before this waiter got it.
      while (!loaded || loaded.evicted || loaded.session.lost?.()) {
        forgetLost();
        loaded = await share(key, () => load(manifest));
      }
      const leased = loaded;
      leased.running += 1;
      return {
        session: leased.session,
        end() {
          leased.running -= 1;
          releaseWhenIdle(leased);
        },
      };
    },
    has(manifest) {
      const loaded = sessions.peek(keyOf(manifest));
      return loaded !== undefined && !loaded.session.lost?.();
    },
    evict(manifest) {
      sessions.delete(keyOf(manifest));
    },
    count() {
      forgetLost();
      return sessions.size;
    },
  };
}

/** The same graph with other weights needs another session. */
function keyOf({ artifact }: Manifest): string {
  return [artifact, ...(artifact.externalData ?? [])].map(({ sha256 }) => sha256).join(" ");
}
