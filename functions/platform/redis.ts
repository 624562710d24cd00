import type { connect } from "./redis-client.ts";

type Client = Awaited<ReturnType<typeof connect>>;

/** Does some work with the one connection to Redis, which is opened where it is not. Rejects when either fails. */
export type Redis = <T>(work: (client: Client) => Promise<T>) => Promise<T>;

/** A connection that takes longer to answer is given up: it may be dead without either end's being told. */
const ANSWER_TIMEOUT_MS = 1000;

/** Connects in the background, so that the first request need not wait for it. */
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
    const timer = setTimeout(() => {
      if (connection === used) connection = undefined;
      if (client.isOpen) client.destroy();
    }, ANSWER_TIMEOUT_MS).unref();
    try {
      return await work(client);
    } finally {
      clearTimeout(timer);
    }
  };
}

async function start(url: string, onEnd: () => void): Promise<Client> {
  try {
    // The client is CommonJS: imported by itself when it is bundled it would have no named exports.
    const { connect } = await import("./redis-client.ts");
    return await connect(url, onEnd);
  } catch (error) {
    onEnd();
    throw error;
  }
}
