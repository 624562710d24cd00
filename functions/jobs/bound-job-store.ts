import { NearcastError } from "../errors.ts";
import { StoreRefusal } from "../model/store.ts";
import { within } from "../within.ts";

const RETRY_AFTER_SECONDS = 5;

/** Makes what waits for the store of jobs. It rejects with `store_unavailable` when there is no answer in time. */
export function boundJobStore(timeoutMs: number): <T>(work: Promise<T>) => Promise<T> {
  return async function bounded(work) {
    try {
      return await within(work, timeoutMs, () => {
        throw new Error(`no answer within ${timeoutMs} ms`);
      });
    } catch (cause) {
      const why = cause instanceof StoreRefusal ? `: ${cause.reason}` : "";
      throw new NearcastError("store_unavailable", `The store of jobs did not answer${why}.`, {
        cause,
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      });
    }
  };
}
