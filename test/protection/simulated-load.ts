// A server with one processor, on a clock of its own: what its clients meet is exact, whatever else the machine does.
import { NearcastError } from "../../functions/errors.ts";
import { createTurns } from "../../functions/load/turns.ts";

export interface Met {
  /** When it was asked, in milliseconds of the simulation. */
  at: number;
  ms: number;
  code: "ok" | NearcastError["code"];
  retryAfterMs: number;
}

interface ServerOptions {
  runMs: number;
  /** Other work on the machine: runs take up to three times as long, and every tenth stands still for 30 ms. */
  busy?: boolean;
  maxConcurrency?: number;
  timeoutMs?: number;
}

/** The same numbers in each test run. */
function createRandom(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

export function simulate(options: ServerOptions) {
  const { runMs, busy = false, maxConcurrency = 512, timeoutMs = 30_000 } = options;
  const random = createRandom();
  const events: { time: number; resolve: () => void }[] = [];
  let time = 0;
  let busyUntil = 0;
  let inside = 0;
  /** Milliseconds of the processor that went into answers that came in time. */
  let useful = 0;
  const met: Met[] = [];
  const turns = createTurns({
    now: () => time,
    turnEventLoop: () => Promise.resolve(),
    maxConcurrency,
    maxQueueMs: Infinity,
    workers: 0,
    dynamicBatching: new Map(),
  });

  function sleepUntil(wanted: number): Promise<void> {
    return new Promise((resolve) => {
      let index = events.length;
      while (index > 0 && (events[index - 1]?.time ?? 0) <= wanted) index -= 1;
      events.splice(index, 0, { time: wanted, resolve });
    });
  }

  /** Takes the processor for one run, unless that would begin too late. */
  async function compute(check: () => void): Promise<number> {
    if (busyUntil > time) {
      await sleepUntil(busyUntil);
      return compute(check);
    }
    check();
    const own = runMs * (busy ? 1 + 2 * random() : 1) + (busy && random() < 0.1 ? 30 : 0);
    busyUntil = time + own;
    await sleepUntil(busyUntil);
    return own;
  }

  /** Does with a request what limitConcurrency and the predict path do. */
  async function answer(at: number): Promise<void> {
    const check = (neededMs = 0) => {
      if (time - at + Math.min(neededMs, timeoutMs / 2) >= timeoutMs)
        throw new NearcastError("deadline_exceeded", "Late.");
    };
    if (inside >= maxConcurrency) throw turns.overflow();
    turns.running.check();
    inside += 1;
    try {
      await turns.running.enter({ check });
      const own = await compute(check).finally(() => void turns.running.leave());
      check();
      useful += own;
    } finally {
      inside -= 1;
    }
  }

  async function ask(): Promise<Met> {
    const at = time;
    const error = await answer(at).then(
      () => undefined,
      (reason: NearcastError) => reason,
    );
    const one: Met = {
      at,
      ms: time - at,
      code: error?.code ?? "ok",
      retryAfterMs: Number(error?.headers["Retry-After"] ?? 0) * 1000,
    };
    met.push(one);
    return one;
  }

  return {
    met,
    ask,
    random,
    now: () => time,
    useful: () => useful,
    sleep: (ms: number) => sleepUntil(time + ms),
    /** Lets time go by until nothing is left to happen. */
    async run(): Promise<void> {
      for (;;) {
        // All that can happen at this time happens first.
        await new Promise((resolve) => setImmediate(resolve));
        const next = events.pop();
        if (!next) return;
        time = next.time;
        next.resolve();
      }
    },
  };
}

export type Simulation = ReturnType<typeof simulate>;

/** Clients that begin within `startMs` and ask again when they have their answer, until `endMs`. */
export async function closedLoop(
  server: Simulation,
  { clients, startMs, endMs }: { clients: number; startMs: number; endMs: number },
): Promise<void> {
  const client = async (delayMs: number): Promise<void> => {
    await server.sleep(delayMs);
    while (server.now() < endMs) await server.ask();
  };
  for (let index = 0; index < clients; index++) void client((startMs * index) / clients);
  await server.run();
}

/** Requests that come as they come (a Poisson process), `rate` a second until `endMs`. */
export async function openLoop(
  server: Simulation,
  { rate, endMs }: { rate: number; endMs: number },
): Promise<void> {
  void (async () => {
    while (server.now() < endMs) {
      await server.sleep((-Math.log(server.random()) * 1000) / rate);
      void server.ask();
    }
  })();
  await server.run();
}
