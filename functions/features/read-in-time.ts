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
export function readInTime(
  source: FeatureSource,
  entities: readonly EntityKeys[],
  names: readonly string[],
  { lookup, deadline }: { lookup: Lookup; deadline: Deadline },
): Promise<readonly FeatureRow[] | Failed> {
  deadline.check();
  const left = (deadline.endsAt() - performance.now()) / 2;
  const patienceMs = Math.min(lookup.timeoutMs ?? TIMEOUT_MS, left);
  // Each call comes through here. `Promise.race` and its clean-up would take twice as long.
  return new Promise((resolve) => {
    const late = new Late();
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = (answer: readonly FeatureRow[] | Failed) => {
      isOver = true;
      clearTimeout(timer);
      resolve(answer);
    };
    const fail = (cause: unknown) => end({ failed: unavailable(source.name, cause) });
    try {
      // A source of the deployment's own may not give a promise.
      Promise.resolve(source.read(entities, names, late)).then((rows) => {
        const problem = problemWith(rows, entities.length);
        return problem === undefined ? end(rows) : fail(new Error(problem));
      }, fail);
    } catch (cause) {
      fail(cause);
    }
    // A source in memory has answered by then. To start and end a timer takes 2 % of a prediction.
    queueMicrotask(() => {
      if (isOver) return;
      timer = setTimeout(() => {
        end({ failed: tooLate(source.name, patienceMs) });
        late.end();
      }, patienceMs);
    });
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
