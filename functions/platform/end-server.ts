import type { Server, ServerResponse } from "node:http";
import { Server as NetServer } from "node:net";
import { setImmediate as turnEventLoop, setTimeout as sleep } from "node:timers/promises";

/** How long to wait for a request on a connection that was open before the end. */
const ON_THE_WAY_MS = 100;

/**
 * Ends an HTTP server so that no request is lost. First it accepts the connections that wait in the system's queue,
 * and then no new ones. Each open connection may bring one more request, which is answered with `Connection: close`.
 * (`http.Server.close` cuts every connection whose next request was not read yet.) A silent client is cut off after
 * `longestRequestMs`.
 */
export async function endServer(server: Server, longestRequestMs: number): Promise<void> {
  server.prependListener("request", (_request: unknown, response: ServerResponse) => {
    response.setHeader("Connection", "close");
  });
  const longest = sleep(longestRequestMs, undefined, { ref: false });
  await Promise.race([acceptAll(server), longest]);
  NetServer.prototype.close.call(server);
  setInterval(async () => {
    // Reads what arrived while a model ran, before its connection counts as idle.
    await turnEventLoop();
    server.closeIdleConnections();
  }, ON_THE_WAY_MS).unref();
  await longest;
  server.closeAllConnections();
}

/** When this many turns of the event loop bring no connection, none is waiting. */
const QUIET_TURNS = 3;

/**
 * Accepts the connections that wait in the system's queue. The event loop accepts one a turn (libuv since 1.45), so
 * a burst that came during a long run still waits there.
 */
async function acceptAll(server: Server): Promise<void> {
  let quiet = 0;
  server.on("connection", () => (quiet = 0));
  for (; quiet < QUIET_TURNS; quiet++) await turnEventLoop();
}
