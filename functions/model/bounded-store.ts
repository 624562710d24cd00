import { NearcastError } from "../errors.ts";
import { TooManyBytes } from "../read-at-most.ts";
import { within } from "../within.ts";
import { StoreRefusal, type Store } from "./store.ts";

interface Operations extends Pick<Store, "get" | "list"> {
  /** Rejects when storage does not answer, or refuses. */
  ping(): Promise<void>;
}

/** There is never an object of this key. One that answers with an object all the same is no store. */
const NEVER_THERE = ".nearcast/no-such-object";

const RETRY_AFTER_SECONDS = 5;

/**
 * A store whose reads settle within `timeoutMs`. A read that fails is a 503 `store_unavailable`, and a file that is
 * longer than it may be a 502 `model_corrupt`.
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
    list: (prefix) =>
      bounded(`give the list of ${prefix || "models"}`, (signal) => store.list(prefix, { signal })),
    ping: () =>
      bounded("answer", async (signal) => {
        if (await store.head(NEVER_THERE, { signal }))
          throw new StoreRefusal("what answers there is no store", new Error(NEVER_THERE));
      }),
  };
}
