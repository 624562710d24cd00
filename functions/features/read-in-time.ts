import { NearcastError } from "../errors.ts";
import type { Deadline } from "../load/deadline.ts";
import type { Lookup } from "../model/feature-lookup.ts";
import type { EntityKeys, FeatureRow, FeatureSource } from "./source.ts";

/** A source did not answer, or not in time. */
export interface Failed {
  failed: NearcastError;
}

const TIMEOUT_MS = 1000;

/**
 * Reads a source, and gives up after the manifest's time, or half of what the call has left. Gives the failure as a
 * value: the manifest may have defaults for it.
 */
export async function readInTime(
  source: FeatureSource,
  entities: readonly EntityKeys[],
  names: readonly string[],
  { lookup, deadline }: { lookup: Lookup; deadline: Deadline },
): Promise<readonly FeatureRow[] | Failed> {
  deadline.check();
  const left = (deadline.endsAt() - performance.now()) / 2;
  const patienceMs = Math.min(lookup.timeoutMs ?? TIMEOUT_MS, left);
  const late = createLate(patienceMs, () => ({ failed: tooLate(source.name, patienceMs) }));
  try {
    const rows = await Promise.race([source.read(entities, names, late), late.promise]);
    if (!Array.isArray(rows) && typeof rows === "object" && rows && "failed" in rows) return rows;
    if (!Array.isArray(rows)) throw new Error("gave no list of rows");
    if (rows.length === entities.length) return rows as readonly FeatureRow[];
    throw new Error(`gave ${rows.length} rows for ${entities.length} entities`);
  } catch (cause) {
    return { failed: unavailable(source.name, cause) };
  } finally {
    late.stop();
  }
}

/** Settles when the time is over. Its signal is made only where a source asks for it: that takes longer than all else. */
function createLate<T>(milliseconds: number, onLate: () => T) {
  let ending: AbortController | undefined;
  let isOver = false;
  let settle: (value: T) => void;
  const promise = new Promise<T>((resolve) => (settle = resolve));
  const timer = setTimeout(() => {
    isOver = true;
    settle(onLate());
    ending?.abort();
  }, milliseconds);
  return {
    promise,
    stop: () => clearTimeout(timer),
    get signal(): AbortSignal {
      ending ??= new AbortController();
      if (isOver) ending.abort();
      return ending.signal;
    },
  };
}

function tooLate(name: string, milliseconds: number): NearcastError {
  const message = `The features of ${name} did not come within ${Math.round(milliseconds)} ms.`;
  // Who answers rows of a batch asks again later, instead of for half of them at once.
  return new NearcastError("features_late", message, { retryAfterSeconds: 1 });
}

function unavailable(name: string, thrown: unknown): NearcastError {
  // Causes are logged, and the message of `JSON.parse` quotes what is stored.
  const cause = thrown instanceof SyntaxError ? new Error("what was read is malformed") : thrown;
  const message = `The source of features ${name} does not answer.`;
  return new NearcastError("features_unavailable", message, { cause, retryAfterSeconds: 1 });
}
