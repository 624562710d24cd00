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
  const ending = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Failed>((resolve) => {
    timer = setTimeout(() => {
      resolve({ failed: tooLate(source.name, patienceMs) });
      ending.abort();
    }, patienceMs);
  });
  try {
    const reading = source.read(entities, names, { signal: ending.signal }).then((rows) => {
      if (rows.length === entities.length) return rows;
      throw new Error(`gave ${rows.length} rows for ${entities.length} entities`);
    });
    return await Promise.race([reading, late]);
  } catch (cause) {
    return { failed: unavailable(source.name, cause) };
  } finally {
    clearTimeout(timer);
  }
}

function tooLate(name: string, milliseconds: number): NearcastError {
  const message = `The features of ${name} did not come within ${Math.round(milliseconds)} ms.`;
  return new NearcastError("deadline_exceeded", message);
}

function unavailable(name: string, cause: unknown): NearcastError {
  const message = `The source of features ${name} does not answer.`;
  return new NearcastError("features_unavailable", message, { cause, retryAfterSeconds: 1 });
}
