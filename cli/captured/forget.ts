import { sha256 } from "../../functions/platform/sha256.ts";
import { subjectText, type CapturedLine } from "../../functions/observe/capture/captured.ts";
import {
  markForgotten,
  removeLines,
  type Wanted,
} from "../../functions/observe/capture/forgotten.ts";
import type { Store } from "../../functions/model/store.ts";
import { capturedObjects, eachObject } from "./objects.ts";

export interface Removed {
  inputs: number;
  outcomes: number;
  /** The digests of the requests, which kept predictions have too. */
  keys: Set<string>;
}

/**
 * Removes what is captured of a request or a subject. First it leaves a mark, so that instances which have such lines in
 * memory do not write them any more.
 */
export async function forget(store: Store, model: string, wanted: Wanted): Promise<Removed> {
  await markForgotten(store, model, wanted, sha256);
  const removed: Removed = { inputs: 0, outcomes: 0, keys: new Set() };
  await removeFrom(store, model, removed, matcher(model, wanted));
  // Outcomes have no subject. They may lie in other objects than what they belong to.
  if ("subject" in wanted && removed.keys.size > 0)
    await removeFrom(
      store,
      model,
      removed,
      (line) => isOutcome(line) && removed.keys.has(line.key),
    );
  return removed;
}

async function removeFrom(
  store: Store,
  model: string,
  removed: Removed,
  isWanted: (line: CapturedLine) => boolean,
): Promise<void> {
  const each = await eachObject(await capturedObjects(store, model), ({ key }) =>
    removeLines(store, key, isWanted),
  );
  for (const line of each.flat()) {
    if (isOutcome(line)) removed.outcomes += 1;
    else removed.inputs += 1;
    removed.keys.add(line.key);
  }
}

function isOutcome(line: CapturedLine): boolean {
  return "outcome" in line;
}

function matcher(model: string, wanted: Wanted): (line: CapturedLine) => boolean {
  if ("requestId" in wanted) return ({ request_id: id }) => id === wanted.requestId;
  const subject = sha256(subjectText(model, wanted.subject));
  return (line) => "subject" in line && line.subject === subject;
}
