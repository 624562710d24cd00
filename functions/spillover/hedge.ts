import { within } from "../within.ts";

/** Sends a request. The signal ends it. */
type Send = (signal: AbortSignal) => Promise<Response>;

/**
 * Sends a request a second time if it has no answer after `afterMs`, takes the answer that comes first, and ends the
 * other one. A request that fails before is not sent again. Only for requests that are safe to repeat.
 */
export async function sendHedged(
  send: Send,
  { afterMs, signal }: { afterMs: number; signal: AbortSignal },
): Promise<Response> {
  const begun: AbortController[] = [];
  async function begin() {
    const own = new AbortController();
    begun.push(own);
    const response = await send(AbortSignal.any([signal, own.signal]));
    return { own, response };
  }
  const first = begin();
  const winner =
    (await within(first, afterMs, () => undefined)) ?? (await Promise.any([first, begin()]));
  for (const other of begun) if (other !== winner.own) other.abort();
  return winner.response;
}
