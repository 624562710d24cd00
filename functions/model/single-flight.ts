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
      // Of many who lost their patience with a run, one begins the next and the others wait for that.
      if (!flight || flight === awaited) return start(key, work);
      const settled = await withinPatience(flight, options.patienceMs);
      if (settled) return settled.value;
      awaited = flight;
    }
  };
}

async function withinPatience<T>(
  flight: Promise<T>,
  patienceMs: number,
): Promise<{ value: T } | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, patienceMs, undefined);
  });
  try {
    return await Promise.race([flight.then((value) => ({ value })), patience]);
  } finally {
    clearTimeout(timer);
  }
}
