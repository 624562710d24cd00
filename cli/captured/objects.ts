import {
  capturedPrefix,
  parseCapturedKey,
  type CapturedKey,
} from "../../functions/observe/capture/captured.ts";
import type { Store } from "../../functions/model/store.ts";

/** How many objects are worked on at once. */
const AT_ONCE = 8;

export interface CapturedObject extends CapturedKey {
  key: string;
}

/** The objects with captured lines of a model, oldest first. */
export async function capturedObjects(store: Store, model: string): Promise<CapturedObject[]> {
  const keys = await store.list(capturedPrefix(model));
  return keys
    .flatMap((key) => {
      const parsed = parseCapturedKey(key);
      return parsed ? [{ ...parsed, key }] : [];
    })
    .toSorted((a, b) => (a.day === b.day ? (a.key < b.key ? -1 : 1) : a.day < b.day ? -1 : 1));
}

/** Works on all objects, some at once. Gives the results in order. */
export async function eachObject<T>(
  objects: readonly CapturedObject[],
  work: (object: CapturedObject) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  for (let start = 0; start < objects.length; start += AT_ONCE)
    results.push(...(await Promise.all(objects.slice(start, start + AT_ONCE).map(work))));
  return results;
}
