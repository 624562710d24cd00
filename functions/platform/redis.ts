import { startPatience } from "./patience.ts";
import type { connect } from "./redis-client.ts";

type Client = Awaited<ReturnType<typeof connect>>;

/** Does work with the one connection to Redis. Opens the connection first where needed. Rejects when either fails. */
export type Redis = <T>(work: (client: Client) => Promise<T>) => Promise<T>;

/**
 * Gives up a connection that takes longer to answer: it may be dead, and neither end would know. This is shorter than
 * the callers' own time-outs. After those, Lambda would freeze the process before this timer ends.
 */
const ANSWER_TIMEOUT_MS = 200;

/** Connects in the background: the first request need not wait. */
export function openRedis(url: string): Redis {
  let connection: Promise<Client> | undefined;

  function open(): Promise<Client> {
    if (connection) return connection;
    const opened = start(url, () => {
      if (connection === opened) connection = undefined;
    });
    connection = opened;
    return opened;
  }
  open().catch(() => undefined);

  return async (work) => {
    const used = open();
    const client = await used;
    const stop = startPatience(ANSWER_TIMEOUT_MS, () => {
      if (connection === used) connection = undefined;
      if (client.isOpen) client.destroy();
    });
    try {
      return await work(client);
    } finally {
      stop();
    }
  };
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
