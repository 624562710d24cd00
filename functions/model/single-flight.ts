import { within } from "../within.ts";

/**
 * Shares one run of a piece of work among all who ask for the same key meanwhile. The work is anchored
 * with `waitUntil`, so that it goes on when the request that began it ends early. On Workers a promise
 * of another request may still never settle; a waiter therefore waits `patienceMs` at the most and then
 * does the work itself.
 */
export function createSingleFlight(options: {
  waitUntil: (promise: Promise<unknown>) => void;
  patienceMs: number;
}): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const flights = new Map<string, Promise<unknown>>();

  function start<T>(key: string, work: () => Promise<T>): Promise<T> {
    const flight = work().finally(() => {
      if (flights.get(key) === flight) flights.delete(key);
    });
    flights.set(key, flight);
    options.waitUntil(flight.catch(() => undefined));
    return flight;
  }

  return async function share<T>(key: string, work: () => Promise<T>): Promise<T> {
    let awaited: Promise<T> | undefined;
    for (;;) {
      const flight = flights.get(key) as Promise<T> | undefined;
      // When many have lost patience with a run, one of them begins the next, and the others wait for that.
      if (!flight || flight === awaited) return start(key, work);
      const settled = await within(
        flight.then((value) => ({ value })),
        options.patienceMs,
        () => undefined,
      );
      if (settled) return settled.value;
      awaited = flight;
    }
  };
}
