import { NearcastError } from "../errors.ts";
import { TooManyBytes } from "../read-at-most.ts";
import { within } from "../within.ts";
import { StoreRefusal, type Store } from "./store.ts";

interface Operations extends Pick<Store, "get" | "list"> {
  /** Undefined where there is no such object. */
  size(key: string): Promise<number | undefined>;
  /** Undefined where the store cannot read parts, or has no such object. */
  slice(key: string, start: number, end: number): Promise<Uint8Array | undefined>;
  /** Rejects when storage refuses or does not answer. */
  ping(): Promise<void>;
}

/** No store has an object with this key. A server that answers with one is not a store. */
const NEVER_THERE = ".nearcast/no-such-object";

const RETRY_AFTER_SECONDS = 5;

/**
 * Wraps a store so that reads settle within `timeoutMs`. A failed read rejects with `store_unavailable` (503). A file
 * that is too long rejects with `model_corrupt` (502).
 */
export function boundStore(store: Store, timeoutMs: number): Operations {
  async function bounded<T>(did: string, read: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    try {
      return await within(read(abort.signal), timeoutMs, () => {
        throw new Error(`no answer within ${timeoutMs} ms`);
      });
    } catch (cause) {
      abort.abort();
      if (cause instanceof TooManyBytes)
        throw new NearcastError("model_corrupt", `In the model store ${cause.message}.`, { cause });
      const why = cause instanceof StoreRefusal ? `: ${cause.reason}` : "";
      throw new NearcastError("store_unavailable", `The model store did not ${did}${why}.`, {
        cause,
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      });
    }
  }

  return {
    get: (key, options) =>
      bounded(`give ${key}`, (signal) => store.get(key, { ...options, signal })),
    size: async (key) =>
      (await bounded(`give ${key}`, (signal) => store.head(key, { signal })))?.size,
    slice: async (key, start, end) =>
      bounded(`give ${key}`, async (signal) => store.slice?.(key, start, end, { signal })),
    list: (prefix) =>
      bounded(`give the list of ${prefix || "models"}`, (signal) => store.list(prefix, { signal })),
    ping: () =>
      bounded("answer", async (signal) => {
        if (await store.head(NEVER_THERE, { signal }))
          throw new StoreRefusal(
            "the server at its address is not a store",
            new Error(NEVER_THERE),
          );
      }),
  };
}
