import { NearcastError } from "../errors.ts";
import type { Deadline } from "../load/deadline.ts";
import type { Lookup } from "../model/feature-lookup.ts";
import type { EntityKeys, FeatureRow, FeatureSource } from "./source.ts";

/** A source did not answer, or not in time. */
export interface Failed {
  failed: NearcastError;
}

type Answer = readonly FeatureRow[] | Failed;

const TIMEOUT_MS = 1000;

/**
 * Reads a source, and gives up after the manifest's time, or half of what the call has left. Gives the failure as a
 * value: the manifest may have defaults for it. A source in memory answers at once, and so does this.
 */
export function readInTime(
  source: FeatureSource,
  entities: readonly EntityKeys[],
  names: readonly string[],
  { lookup, deadline }: { lookup: Lookup; deadline: Deadline },
): Answer | Promise<Answer> {
  deadline.check();
  const fail = (cause: unknown): Failed => ({ failed: unavailable(source.name, cause) });
  const checked = (rows: readonly FeatureRow[]): Answer => {
    const problem = problemWith(rows, entities.length);
    return problem === undefined ? rows : fail(new Error(problem));
  };
  const late = new Late();
  let reading: ReturnType<FeatureSource["read"]>;
  try {
    reading = source.read(entities, names, late);
  } catch (cause) {
    return fail(cause);
  }
  if (Array.isArray(reading)) return checked(reading as readonly FeatureRow[]);
  const left = (deadline.endsAt() - performance.now()) / 2;
  const patienceMs = Math.min(lookup.timeoutMs ?? TIMEOUT_MS, left);
  // Each call comes through here. `Promise.race` and its clean-up would take twice as long.
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve({ failed: tooLate(source.name, patienceMs) });
      late.end();
    }, patienceMs);
    const end = (answer: Answer) => {
      clearTimeout(timer);
      resolve(answer);
    };
    // A source of the deployment's own may not give a promise.
    Promise.resolve(reading).then(
      (rows) => end(checked(rows)),
      (cause: unknown) => end(fail(cause)),
    );
  });
}

function problemWith(rows: unknown, count: number): string | undefined {
  if (!Array.isArray(rows)) return "gave no list of rows";
  return rows.length === count ? undefined : `gave ${rows.length} rows for ${count} entities`;
}

/** Its signal is made only where a source asks for it: that takes longer than all else. */
class Late {
  #ending: AbortController | undefined;
  #isOver = false;

  get signal(): AbortSignal {
    this.#ending ??= new AbortController();
    if (this.#isOver) this.#ending.abort();
    return this.#ending.signal;
  }

  end(): void {
    this.#isOver = true;
    this.#ending?.abort();
  }
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
