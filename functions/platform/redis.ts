import { startPatience } from "./patience.ts";
import type { connect } from "./redis-client.ts";

type Client = Awaited<ReturnType<typeof connect>>;

/**
 * Does work with the one connection to Redis. Opens the connection first where needed. Rejects when either fails. With a
 * signal, the caller waits until that ends, and others that wait at the same connection may do so for longer.
 */
export type Redis = <T>(work: (client: Client) => Promise<T>, signal?: AbortSignal) => Promise<T>;

interface Connection {
  client: Promise<Client>;
  /** How many callers with signals wait for its answers. */
  waiting: number;
}

/**
 * Gives up a connection that takes longer to answer: it may be dead, and neither end would know. This is shorter than
 * the callers' own time-outs. After those, Lambda would freeze the process before this timer ends.
 */
const ANSWER_TIMEOUT_MS = 200;

/** Connects in the background: the first request need not wait. */
export function openRedis(url: string): Redis {
  let connection: Connection | undefined;

  function open(): Connection {
    if (connection) return connection;
    const client = start(url, () => leave(opened));
    const opened: Connection = { client, waiting: 0 };
    connection = opened;
    return opened;
  }

  /** The next caller opens another one. */
  function leave(used: Connection): void {
    if (connection === used) connection = undefined;
  }
  open().client.catch(() => undefined);

  return async (work, signal) => {
    const used = open();
    const client = await used.client;
    const end = () => {
      if (client.isOpen) client.destroy();
    };
    if (signal) return waitAlong(used, { signal, end }, () => work(client));
    const stop = startPatience(ANSWER_TIMEOUT_MS, () => {
      leave(used);
      end();
    });
    try {
      return await work(client);
    } finally {
      stop();
    }
  };

  /** A connection that did not answer until the signal ends takes no more work. The last one who waits at it ends it. */
  async function waitAlong<T>(
    used: Connection,
    { signal, end }: { signal: AbortSignal; end: () => void },
    work: () => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    let isWaiting = true;
    const stop = (): void => {
      if (!isWaiting) return;
      isWaiting = false;
      used.waiting -= 1;
      if (connection !== used && used.waiting === 0) end();
    };
    const giveUp = (): void => {
      leave(used);
      stop();
    };
    used.waiting += 1;
    signal.addEventListener("abort", giveUp);
    try {
      return await work();
    } finally {
      signal.removeEventListener("abort", giveUp);
      stop();
    }
  }
}

async function start(url: string, onEnd: () => void): Promise<Client> {
  try {
    // The client is CommonJS. Imported directly, it would have no named exports once it is bundled.
    const { connect } = await import("./redis-client.ts");
    return await connect(url, onEnd);
  } catch (error) {
    onEnd();
    throw error;
  }
}
