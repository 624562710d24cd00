import { once } from "node:events";
import type { Server, ServerResponse } from "node:http";
import { connect, Server as NetServer, type AddressInfo, type Socket } from "node:net";
import { setImmediate as turnEventLoop, setTimeout as sleep } from "node:timers/promises";

/** What a client sends on a connection that was open before the end arrives within this. */
const ON_THE_WAY_MS = 100;

/**
 * Ends an HTTP server so that no request is lost: connections that the system has taken are taken from it
 * before no more are, and each open one may bring one more request, which is answered with
 * `Connection: close`. `http.Server.close` cuts every connection whose next request was not read yet.
 * A client that says nothing is cut off after `longestRequestMs`.
 */
export async function endServer(server: Server, longestRequestMs: number): Promise<void> {
  server.prependListener("request", (_request: unknown, response: ServerResponse) => {
    response.setHeader("Connection", "close");
  });
  const longest = sleep(longestRequestMs, undefined, { ref: false });
  await Promise.race([acceptAll(server), longest]);
  NetServer.prototype.close.call(server);
  setInterval(async () => {
    // What has arrived while a model ran is read before its connection counts as idle.
    await turnEventLoop();
    server.closeIdleConnections();
  }, ON_THE_WAY_MS).unref();
  await longest;
  server.closeAllConnections();
}

/**
 * Until the server has the connections that wait in the system's queue. First in is first out: a connection of
 * our own marks where the queue ends, however long the runs between two of them take.
 */
async function acceptAll(server: Server): Promise<void> {
  const listening = server.address() as AddressInfo | null;
  if (!listening) return;
  const accepted = new Set<number | undefined>();
  server.on("connection", (socket: Socket) => accepted.add(socket.remotePort));
  const mark = connect(listening.port, listening.address);
  try {
    await once(mark, "connect");
    while (!accepted.has(mark.localPort)) await once(server, "connection");
  } catch {
    // Without a mark, as where no more sockets can be opened, nobody is waited for.
  }
  mark.destroy();
}
