import { createClient } from "@redis/client";

const CONNECT_TIMEOUT_MS = 5000;

/** An open connection. Calls `onEnd` when it has ended. Rejects when Redis cannot be reached. */
export async function connect(url: string, onEnd: () => void) {
  const client = createClient({
    url,
    RESP: 2,
    disableClientInfo: true,
    // Commands fail at once, and the next caller opens the connection again. So the client has no timers that could
    // keep an ending process alive.
    disableOfflineQueue: true,
    socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: false },
  });
  client.on("error", onEnd);
  client.unref();
  await client.connect();
  return client;
}
