import { createClient } from "@redis/client";

const CONNECT_TIMEOUT_MS = 5000;

/** A connection, already open. `onEnd` is told when it is none any more. Rejects when Redis cannot be reached. */
export async function connect(url: string, onEnd: () => void) {
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
}
