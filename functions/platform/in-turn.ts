import type { RequestListener, ServerResponse, IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/** The most requests that wait, on all connections together. Each takes some kilobytes. */
const MOST_WAITING = 10_000;

/**
 * Starts the requests of a connection one after the other, each when the answer before it has left. Node itself starts
 * all requests that a client sends without waiting for answers. One read of 64 KiB can hold a thousand, and the answers
 * of all would fill the memory. While requests wait, nothing more is read from their connection, and other connections
 * have their turn.
 */
export function inTurn(listener: RequestListener): RequestListener {
  const waiting = new Map<Socket, number>();
  let total = 0;

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
    response.once("socket", () => {
      letGo(socket);
      setImmediate(() => {
        if (!socket.destroyed) listener(request, response);
      });
    });
  }

  function hold(socket: Socket): void {
    socket.pause();
    // Node resumes reading when the listener reads a body. It need not: with a request after it, the body is complete.
    socket.on("resume", pause);
    socket.once("close", forget);
  }

  /** Called when a waiting request is about to start. */
  function letGo(socket: Socket): void {
    const left = (waiting.get(socket) ?? 0) - 1;
    total -= 1;
    if (left > 0) {
      waiting.set(socket, left);
      return;
    }
    waiting.delete(socket);
    socket.off("resume", pause).off("close", forget);
    socket.resume();
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
