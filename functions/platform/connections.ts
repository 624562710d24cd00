import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Each connection takes some kilobytes of memory. */
const MOST_CONNECTIONS = 10_000;
/** Files for everything else: the store's connections, artifacts, processes. */
const OTHER_FILES = 64;
/** Closes this share of the connections at once, so that the next ones need no search. */
const CLOSED_SHARE = 1 / 16;
/** The share of the connections that gRPC gets where it has a port: each of its clients needs only one. */
export const GRPC_SHARE = 1 / 4;

/**
 * Closes the connections that have been idle longest before a new one would find no file descriptor. A connection is
 * idle while no request of it is being answered, even if it never had one.
 */
export function makeRoom(server: Server, most: number): void {
  /** The last use of each connection, as a number that grows with each use. */
  const connections = new Map<Socket, number>();
  let uses = 0;

  server.on("connection", (socket: Socket) => {
    if (connections.size >= most) closeIdle();
    connections.set(socket, ++uses);
    socket.once("close", () => connections.delete(socket));
  });
  server.on("request", ({ socket }) => connections.set(socket, ++uses));

  function closeIdle(): void {
    const idle = [...connections].filter(([socket]) => isIdle(socket));
    idle.sort(([, one], [, other]) => one - other);
    for (const [socket] of idle.slice(0, Math.ceil(most * CLOSED_SHARE))) {
      connections.delete(socket);
      socket.destroy();
    }
  }
}

/** Node keeps the connection's current response in this property. Its own check for idle connections reads it too. */
function isIdle({ _httpMessage: response }: Socket & { _httpMessage?: unknown }): boolean {
  return !response;
}

export function mostConnections(): number {
  const files = openFiles();
  return Math.min(MOST_CONNECTIONS, files - Math.max(OTHER_FILES, files / 8));
}

/** How many files this process may have open. Infinite where no file says it: only Linux has one. */
function openFiles(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "latin1");
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Infinity);
  } catch {
    return Infinity;
  }
}
