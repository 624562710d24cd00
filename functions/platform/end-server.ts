import type { Server, ServerResponse } from "node:http";
import { Server as NetServer } from "node:net";
import { setImmediate as turnEventLoop } from "node:timers/promises";

/** What a client sends on a connection that was open before the end arrives within this. */
const ON_THE_WAY_MS = 100;
/** New connections are taken for no longer than this. */
const ACCEPTING_MS = 50;

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
  setTimeout(() => server.closeAllConnections(), longestRequestMs).unref();
  await acceptAll(server);
  NetServer.prototype.close.call(server);
  setInterval(async () => {
    // What has arrived while a model ran is read before its connection counts as idle.
    await turnEventLoop();
    server.closeIdleConnections();
  }, ON_THE_WAY_MS).unref();
}

/** The event loop accepts one connection a turn (libuv since 1.45). */
async function acceptAll(server: Server): Promise<void> {
  const end = performance.now() + ACCEPTING_MS;
  let accepted = true;
  server.on("connection", () => (accepted = true));
  while (accepted && performance.now() < end) {
    accepted = false;
    await turnEventLoop();
    await turnEventLoop();
  }
}
