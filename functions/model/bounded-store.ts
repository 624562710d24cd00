import { NearcastError } from "../errors.ts";
import { within } from "../within.ts";
import type { Store } from "./store.ts";

type Operations = Pick<Store, "get" | "head" | "list">;

const RETRY_AFTER_SECONDS = 5;

/** A store whose reads settle within `timeoutMs`. A read that fails is a 503 `store_unavailable`. */
export function boundStore(store: Store, timeoutMs: number): Operations {
  async function bounded<T>(what: string, read: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    try {
      return await within(read(abort.signal), timeoutMs, () => {
        throw new Error(`no answer within ${timeoutMs} ms`);
      });
    } catch (cause) {
      abort.abort();
      throw new NearcastError("store_unavailable", `The model store did not give ${what}.`, {
        cause,
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      });
    }
  }

  return {
    get: (key, options) => bounded(key, (signal) => store.get(key, { ...options, signal })),
    head: (key) => bounded(key, (signal) => store.head(key, { signal })),
    list: (prefix) =>
      bounded(`the list of ${prefix || "models"}`, (signal) => store.list(prefix, { signal })),
  };
}
