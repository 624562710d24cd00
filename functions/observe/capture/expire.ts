import type { Store } from "../../model/store.ts";
import { capturedPrefix, dayOf, DUE, parseCapturedKey, parseDueKey } from "./captured.ts";

/** How many objects are removed at the same time. */
const AT_ONCE = 8;
/** A day whose removal failed is looked at again on the next ones. */
const DAYS = 3;
/** The most that an instance removes at a time. A Worker may ask its store some thousand times in a request. */
const MOST = 400;

/** Whether the object's time is over. */
export function isExpired({ until }: { until: string }, now: number): boolean {
  return until <= dayOf(now);
}

/** Removes what expired in the last days. Lists no more than that. Gives how many objects. */
export async function removeLately(
  store: Pick<Store, "list" | "delete">,
  model: string,
  now: number,
): Promise<number> {
  const found: string[] = [];
  for (let ago = 0; ago < DAYS; ago++)
    found.push(...(await store.list(`${capturedPrefix(model)}${dayOf(now, -ago)}/`)));
  return removeAll(store, found.slice(0, MOST));
}

/**
 * Removes what expired of all models, as their notes have it. One list where nothing did. Gives how many objects. What is
 * too much for one time is left for the next.
 */
export async function removeDue(
  store: Pick<Store, "list" | "delete">,
  now: number,
): Promise<number> {
  let count = 0;
  let left = MOST;
  for (const key of await store.list(DUE)) {
    const due = parseDueKey(key);
    if (!due || !isExpired(due, now)) continue;
    const found = await store.list(`${capturedPrefix(due.model)}${due.until}/`);
    count += await removeAll(store, found.slice(0, left));
    left -= found.length + 1;
    if (left < 0) return count;
    await store.delete(key);
  }
  return count;
}

/** Removes everything whose time is over. Gives how many objects. */
export async function removeExpired(
  store: Pick<Store, "list" | "delete">,
  model: string,
  now: number,
): Promise<number> {
  const keys = await store.list(capturedPrefix(model));
  const expired = keys.filter((key) => {
    const parsed = parseCapturedKey(key);
    return parsed !== undefined && isExpired(parsed, now);
  });
  return removeAll(store, expired);
}

async function removeAll(store: Pick<Store, "delete">, keys: readonly string[]): Promise<number> {
  for (let start = 0; start < keys.length; start += AT_ONCE)
    await Promise.all(keys.slice(start, start + AT_ONCE).map((key) => store.delete(key)));
  return keys.length;
}
