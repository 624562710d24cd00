import type { RequestListener, ServerResponse, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { createPace } from "./pace.ts";

/** The most requests that wait, on all connections together. Each takes some kilobytes. */
const MOST_WAITING = 10_000;

/**
 * Starts the requests of a connection one after the other, each when the answer before it has left. Node itself starts
 * all requests that a client sends without waiting for answers. One read of 64 KiB can hold a thousand, and the answers
 * of all would fill the memory. While requests wait, nothing more is read from their connection, and other connections
 * have their turn, new ones too.
 */
export function inTurn(listener: RequestListener): RequestListener {
  const waiting = new Map<Socket, number>();
  let total = 0;
  const starting = createPace();
  // What one read brings takes some milliseconds to parse. Many connections become empty in the same turn.
  const reading = createPace({ perTurn: 1 });

  function wait(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    if (socket.destroyed) return;
    if (++total > MOST_WAITING) {
      total -= 1;
      socket.destroy();
      return;
    }
    const before = waiting.get(socket);
    waiting.set(socket, (before ?? 0) + 1);
    if (before === undefined) hold(socket);
    response.once("socket", () =>
      starting.add(() => {
        letGo(socket);
        if (!socket.destroyed) listener(request, response);
      }),
    );
  }

  function hold(socket: Socket): void {
    socket.pause();
    // Node resumes reading when the listener reads a body. It need not: with a request after it, the body is complete.
    socket.on("resume", pause);
    socket.once("close", forget);
  }

  /** Called when a waiting request is about to start. */
  function letGo(socket: Socket): void {
    const known = waiting.get(socket);
    if (known === undefined) return;
    total -= 1;
    if (known > 1) {
      waiting.set(socket, known - 1);
      return;
    }
    waiting.delete(socket);
    socket.off("close", forget);
    reading.add(() => {
      socket.off("resume", pause);
      if (!waiting.has(socket)) socket.resume();
    });
  }

  function forget(this: Socket): void {
    total -= waiting.get(this) ?? 0;
    waiting.delete(this);
  }

  return function startInTurn(request, response) {
    // A response gets the connection when all responses before it are done.
    if (response.socket) listener(request, response);
    else wait(request, response);
  };
}

function pause(this: Socket): void {
  this.pause();
}
