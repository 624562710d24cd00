import { isExpired } from "../../functions/observe/capture/expire.ts";
import { parseLine, type CapturedInput } from "../../functions/observe/capture/captured.ts";
import { readForgotten, readLines } from "../../functions/observe/capture/forgotten.ts";
import { sha256 } from "../../functions/platform/sha256.ts";
import type { Store } from "../../functions/model/store.ts";
import { capturedObjects, type CapturedObject } from "./objects.ts";

/** An input that was asked for, its answer, and its true label where that is known. */
export interface DatasetRow {
  input: unknown;
  label?: unknown;
  output: unknown;
  request_id: string;
  row: number;
  time: string;
  version: string;
}

export interface Dataset {
  rows: number;
  /** Inputs whose outcome is not known. They are left out, unless all are wanted. */
  withoutTruth: number;
  /** Inputs that are redacted or were too large, and tensors of other tasks than `tensor`. */
  withoutInput: number;
  /** Lines that are none. */
  unreadable: number;
}

export interface DatasetOptions {
  /** The first and the last day, such as `2026-11-29`, both of them included. */
  from?: string | undefined;
  to?: string | undefined;
  /** Whether inputs without an outcome are wanted too. */
  all?: boolean | undefined;
  /** Outcomes by request id. They come before those of feedback. */
  truth?: ReadonlyMap<string, unknown> | undefined;
}

/** Gets the rows of one object of the store after another. */
export type Take = (rows: readonly DatasetRow[]) => void | Promise<void>;

/**
 * Joins captured inputs with what really happened. Leaves out what has expired or was forgotten. Holds one object of the
 * store at a time, and the outcomes: some hundred bytes for each.
 */
export async function readDataset(
  store: Store,
  model: string,
  { from = "", to = "9999", all = false, truth }: DatasetOptions,
  take: Take,
): Promise<Dataset> {
  const now = Date.now();
  const objects = (await capturedObjects(store, model)).filter(
    (object) => object.day >= from && !isExpired(object, now),
  );
  const forgotten = await readForgotten(store, model, sha256);
  const outcomes = await readOutcomes(store, objects);
  const made: Dataset = { rows: 0, withoutTruth: 0, withoutInput: 0, unreadable: 0 };

  function labelOf({ request_id: id, key, row }: CapturedInput): unknown {
    const outcome = truth?.get(id) ?? outcomes.get(key);
    return Array.isArray(outcome) ? (outcome[row] as unknown) : row === 0 ? outcome : undefined;
  }

  for (const { key } of objects.filter(({ day }) => day <= to)) {
    const rows: DatasetRow[] = [];
    for (const text of (await readLines(store, key))?.lines ?? []) {
      const line = parseLine(text);
      if (!line) made.unreadable += 1;
      if (!line || "outcome" in line || (await forgotten.has(line))) continue;
      if (line.input === null) {
        made.withoutInput += 1;
        continue;
      }
      const label = labelOf(line);
      if (label === undefined) made.withoutTruth += 1;
      if (label === undefined && !all) continue;
      const { input, output, request_id, row, time, version } = line;
      rows.push({
        input,
        ...(label !== undefined && { label }),
        output,
        request_id,
        row,
        time,
        version,
      });
    }
    made.rows += rows.length;
    if (rows.length > 0) await take(rows);
  }
  return made;
}

/** What really happened, by the digest of caller and request. It may have come on later days. */
async function readOutcomes(
  store: Store,
  objects: readonly CapturedObject[],
): Promise<Map<string, readonly unknown[]>> {
  const outcomes = new Map<string, readonly unknown[]>();
  for (const { key } of objects)
    for (const text of (await readLines(store, key))?.lines ?? []) {
      // Most lines are inputs, and long.
      const line = text.includes('"outcome":') ? parseLine(text) : undefined;
      if (line && "outcome" in line) outcomes.set(line.key, line.outcome);
    }
  return outcomes;
}
