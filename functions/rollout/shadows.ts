import { NearcastError, type ErrorCode } from "../errors.ts";
import type { LookUp } from "../features/look-up.ts";
import type { Answered, Shadows } from "../follow.ts";
import { createDeadline } from "../load/deadline.ts";
import type { Ongoing } from "../load/ongoing.ts";
import { createSpareTurns } from "../load/spare-turns.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Registry } from "../model/registry.ts";
import type { Sessions } from "../model/sessions.ts";
import type { CopyRecord, DropReason } from "../observe/observer.ts";
import type { Platform } from "../platform/types.ts";
import type { PathServices } from "../record-call.ts";
import { sendsState } from "../tasks/state/of-calls.ts";
import { answerCopy } from "./copy.ts";
import { isOwnFailure } from "./counting.ts";

/** The most copies at a time, waiting for their answers to be sent or being answered. */
const MOST_COPIES = 2;
/** The most bytes that they keep in memory, all together. */
const MOST_BYTES = 8 * 1024 * 1024;
/** After a copy that took longer than this, there are none for so many times the excess: callers may have met it. */
const SHORT_MS = 10;
const REST = 9;
const LONGEST_REST_MS = 30_000;

interface ShadowServices {
  platform: Platform;
  registry: Pick<Registry, "resolve">;
  sessions: Pick<Sessions, "acquireSpare">;
  /** The calls that are being answered, without copies. */
  ongoing: Pick<Ongoing, "isIdle">;
  lookUp: LookUp;
  tell: (record: CopyRecord) => void;
  onFailure: (error: unknown) => void;
}

/** The store, or the source of features, is out of reach. */
const STORE_FAILURES: ReadonlySet<ErrorCode> = new Set([
  "store_unavailable",
  "features_unavailable",
  "features_late",
]);

/** What became of a copy. */
type Fate = Partial<CopyRecord>;

/** There is no free memory for the version. */
class NoMemory extends Error {}

/**
 * Gives copies of calls to versions on trial, once stable's answer was sent. A copy costs callers as little as can be: it
 * begins only while no call is being answered, and is given up when one comes. It is never queued nor charged, and takes
 * only free memory.
 */
export function createShadows(services: ShadowServices): Shadows {
  const { platform, registry, sessions, ongoing, lookUp } = services;
  const { config, now, turnEventLoop, whenSent } = platform;
  const isolated = platform.isolatesRequests ?? false;
  let copies = 0;
  let kept = 0;
  let restsUntil = -Infinity;
  let isWarned = false;

  /** Why the call is not copied. */
  function refusal(answered: Answered): DropReason | undefined {
    const { bytes, version } = answered;
    if (!whenSent) {
      const message = "rollout: this platform makes no copies for versions with a shadow share";
      if (!isWarned) platform.log({ level: "warn", message });
      isWarned = true;
      return "platform";
    }
    const sends = answered.kind === "predict" && sendsState(version.task, answered.call.parameters);
    if (sends || answered.goesOn) return "state";
    if (bytes > MOST_BYTES) return "size";
    const isResting = now !== undefined && now() < restsUntil;
    return isResting || copies >= MOST_COPIES || kept + bytes > MOST_BYTES ? "busy" : undefined;
  }

  function beginPaths(): PathServices {
    return {
      resolve: ({ model, version }) => registry.resolve(model, { version }),
      sessions: { acquire },
      timeoutMs: config.requestTimeoutMs,
      now,
      lookUp,
      tell: undefined,
      turns: now && turnEventLoop && createSpareTurns(now, turnEventLoop),
    };
  }

  async function acquire(manifest: Manifest) {
    const lease = await sessions.acquireSpare(manifest);
    if (!lease) throw new NoMemory();
    return lease;
  }

  async function copy(answered: Answered, version: string): Promise<Fate> {
    const { call, rows } = answered;
    await (call.sent ? call.sent() : whenSent?.(undefined));
    if (!ongoing.isIdle()) return { dropped: "busy" };
    const paths = beginPaths();
    try {
      const found = await paths.resolve({ model: call.model, version });
      // Loaded beforehand: only what each copy takes is followed by a rest.
      (await acquire(found.manifest)).end();
      const isOver = () => !ongoing.isIdle();
      const deadline = createDeadline(config.requestTimeoutMs, isOver, { isolated });
      const made = answerCopy(paths, { answered, version: found, deadline });
      return await deadline.within(made).finally(() => rest(deadline.age()));
    } catch (error) {
      return fateOf(error, rows);
    }
  }

  function rest(takenMs: number): void {
    if (!now || takenMs <= SHORT_MS) return;
    const restMs = Math.min((takenMs - SHORT_MS) * REST, LONGEST_REST_MS);
    restsUntil = Math.max(restsUntil, now() + restMs);
  }

  async function copyAndTell(answered: Answered, version: string): Promise<void> {
    const dropped = refusal(answered);
    copies += 1;
    kept += answered.bytes;
    try {
      tell(answered, version, dropped ? { dropped } : await copy(answered, version));
    } catch (error) {
      services.onFailure(error);
    } finally {
      copies -= 1;
      kept -= answered.bytes;
    }
  }

  function tell({ call, version: { release } }: Answered, version: string, fate: Fate): void {
    if (!release) return;
    const { compared = 0, disagreed = 0, durations, error, dropped } = fate;
    const { model } = call;
    services.tell({ model, version, release, compared, disagreed, durations, error, dropped });
  }

  return {
    copy(answered) {
      for (const version of answered.version.shadows ?? [])
        platform.waitUntil(copyAndTell(answered, version));
    },
  };
}

/** What the error of a copy means. A version that refuses what stable answered disagrees with it. */
function fateOf(error: unknown, rows: number): Fate {
  if (error instanceof NoMemory) return { dropped: "memory" };
  const code: ErrorCode = error instanceof NearcastError ? error.code : "internal";
  // Somebody is being answered.
  if (code === "client_closed_request") return { dropped: "busy" };
  if (STORE_FAILURES.has(code)) return { dropped: "store" };
  if (isOwnFailure(code) || code === "unknown_version") return { error: code };
  return { compared: rows, disagreed: rows };
}
