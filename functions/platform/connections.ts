import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Each takes some kilobytes of memory. */
const MOST_CONNECTIONS = 10_000;
/** Files for everything else: the store's connections, artifacts, processes. */
const OTHER_FILES = 64;
/** So many of the idle ones are closed at once that the next connections cost nothing. */
const PART = 1 / 16;

/**
 * Closes the connections that have been idle longest when there are so many that a new one might find no file
 * descriptor. A connection that has no request which is being answered is idle, also when it never had any.
 */
export function makeRoom(server: Server, most = mostConnections()): void {
  /** When each connection was last used, as a number that grows. */
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
    for (const [socket] of idle.slice(0, Math.ceil(most * PART))) {
      connections.delete(socket);
      socket.destroy();
    }
  }
}

/** Node keeps the response that has the connection there, and asks the same before it closes idle connections. */
function isIdle({ _httpMessage: response }: Socket & { _httpMessage?: unknown }): boolean {
  return !response;
}

function mostConnections(): number {
  const files = openFiles();
  return Math.min(MOST_CONNECTIONS, files - Math.max(OTHER_FILES, files / 8));
}

/** How many files this process may have open. Only Linux says it in a file. */
function openFiles(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "latin1");
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Infinity);
  } catch {
    return Infinity;
  }
}
