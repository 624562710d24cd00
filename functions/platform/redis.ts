type Client = Awaited<ReturnType<typeof connect>>;

/** Does some work with the one connection to Redis, which is opened where it is not. Rejects when either fails. */
export type Redis = <T>(work: (client: Client) => Promise<T>) => Promise<T>;

const CONNECT_TIMEOUT_MS = 1000;
/** A connection that takes longer to answer is given up: it may be dead without either end's being told. */
const ANSWER_TIMEOUT_MS = 1000;

/** Connects in the background, so that the first request need not wait for it. */
export function openRedis(url: string): Redis {
  let connection: Promise<Client> | undefined;

  function open(): Promise<Client> {
    if (connection) return connection;
    const opened = connect(url, () => {
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

async function connect(url: string, onEnd: () => void) {
  try {
    const { createClient } = await import("@redis/client");
    const client = createClient({
      url,
      RESP: 2,
      disableClientInfo: true,
      // Commands fail at once, and whoever needs the connection next opens it: no timers of the client's
      // own keep an ending process alive.
      disableOfflineQueue: true,
      socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: false },
    });
    client.on("error", onEnd);
    client.unref();
    await client.connect();
    return client;
  } catch (error) {
    onEnd();
    throw error;
  }
}
