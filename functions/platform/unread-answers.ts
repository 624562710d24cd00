import { ServerResponse, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/** How long and how much of their answers clients may leave unread. */
interface UnreadOptions {
  /** A connection is closed when its client has taken nothing for this long. */
  patienceMs: number;
  /** With more unread bytes in all, the connections that have waited longest are closed. */
  maxBytes: number;
}

/**
 * The class of a server's responses. They notice when the system's buffers are full because the client does not read.
 * Where it does, that costs one comparison.
 */
export function boundUnread({ patienceMs, maxBytes }: UnreadOptions): typeof ServerResponse {
  /** Unread bytes by connection. The one that has waited longest is the first. */
  const unread = new Map<Socket, number>();
  let total = 0;

  function watch(response: ServerResponse): void {
    const { socket } = response;
    if (!socket || socket.destroyed) return;
    const known = unread.get(socket);
    count(socket, socket.writableLength);
    if (known !== undefined) return;
    // Node ends a connection that is this long without progress.
    response.setTimeout(patienceMs);
    const forget = (): void => {
      response.off("finish", forget);
      socket.off("close", forget);
      count(socket, 0);
      // The next request may compute for longer.
      socket.setTimeout(0);
    };
    // Before Node's own listener, which sets the time for the next request to come.
    response.prependListener("finish", forget);
    socket.on("close", forget);
    closeOldest();
  }

  function count(socket: Socket, bytes: number): void {
    total += bytes - (unread.get(socket) ?? 0);
    if (bytes > 0) unread.set(socket, bytes);
    else unread.delete(socket);
  }

  /** A single one may have any size. */
  function closeOldest(): void {
    for (const socket of unread.keys()) {
      if (total <= maxBytes || unread.size === 1) return;
      count(socket, 0);
      socket.destroy();
    }
  }

  return class WatchedResponse<
    Request extends IncomingMessage = IncomingMessage,
  > extends ServerResponse<Request> {
    override write(...args: unknown[]): boolean {
      const taken = super.write(...(args as Parameters<ServerResponse["write"]>));
      if (!taken) watch(this);
      return taken;
    }

    override end(...args: unknown[]): this {
      super.end(...(args as Parameters<ServerResponse["end"]>));
      if (this.socket && this.socket.writableLength > 0) watch(this);
      return this;
    }
  };
}
