import { within } from "../within.ts";

/**
 * Does work only once when several requests ask for the same key at the same time. `waitUntil` keeps the work going
 * when the request that began it ends early. On Workers, another request's promise may still never settle. So a request
 * waits for `patienceMs` at most, and then does the work itself.
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
      // When several requests have waited too long, one begins again and the others wait for it.
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
