import type { Store } from "../../model/store.ts";
import { capturedPrefix, dayOf, parseCapturedKey } from "./captured.ts";

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
