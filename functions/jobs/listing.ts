import type { Store } from "../model/store.ts";
import { boundJobStore } from "./bound-job-store.ts";

const FOLDER = ".jobs";
const EMPTY = new TextEncoder().encode("{}");

export type Listing = ReturnType<typeof createListing>;

/**
 * The ids of what each caller has, as names of objects: `.jobs/<key of the list>/<id>`. Ids are sorted by their letters, so
 * those that begin with a time are in its order. All methods reject with `store_unavailable` when the store does not answer
 * within `timeoutMs`.
 */
export function createListing(store: Store, timeoutMs: number) {
  const bounded = boundJobStore(timeoutMs);
  return {
    add: async (key: string, id: string) =>
      void (await bounded(store.put(`${FOLDER}/${key}/${id}`, EMPTY))),
    remove: (key: string, id: string) => bounded(store.delete(`${FOLDER}/${key}/${id}`)),
    /** The ids in order. */
    async ids(key: string): Promise<string[]> {
      const prefix = `${FOLDER}/${key}/`;
      const names = await bounded(store.list(prefix));
      return names.map((name) => name.slice(prefix.length)).toSorted();
    },
  };
}

/** A part of a list. */
export interface Page<Item> {
  items: Item[];
  hasMore: boolean;
}

/** What a list is asked for. */
export interface PageOptions {
  /** The id behind which the page begins. It need not be there any more. */
  after?: string | undefined;
  limit: number;
  order: "asc" | "desc";
}

const READ_AT_ONCE = 16;

/** The items of a page. `read` gives nothing for an id whose item is gone, or is not wanted. */
export async function readPage<Item>(
  ids: readonly string[],
  { after, limit, order }: PageOptions,
  read: (id: string) => Promise<Item | undefined>,
): Promise<Page<Item>> {
  const ordered = order === "asc" ? ids : ids.toReversed();
  const rest = ordered.filter(
    (id) => after === undefined || (order === "asc" ? id > after : id < after),
  );
  const items: Item[] = [];
  for (let first = 0; first < rest.length && items.length <= limit; first += READ_AT_ONCE) {
    const found = await Promise.all(rest.slice(first, first + READ_AT_ONCE).map(read));
    items.push(...found.filter((item) => item !== undefined));
  }
  return { items: items.slice(0, limit), hasMore: items.length > limit };
}

/** A new id that begins with the time, such as `file-019acfa5c3d1…`. */
export function newId(prefix: string): string {
  const time = Date.now().toString(16).padStart(12, "0");
  return `${prefix}${time}${crypto.randomUUID().replaceAll("-", "").slice(0, 20)}`;
}
