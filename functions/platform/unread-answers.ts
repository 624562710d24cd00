import { ServerResponse, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/** How much of their answers clients may leave unread, and for how long. */
interface UnreadOptions {
  /** Closes a connection when its client has read nothing for this long. */
  patienceMs: number;
  /** Closes the connections that have waited longest when all together have more unread bytes than this. */
  maxBytes: number;
}

/**
 * The class of a server's responses. They notice a client that does not read: the system's buffers are full then. For
 * clients that read, this costs one comparison.
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
    // Node ends a connection that makes no progress for this long.
    response.setTimeout(patienceMs);
    const forget = (): void => {
      response.off("finish", forget);
      socket.off("close", forget);
      count(socket, 0);
      // The next request may compute for longer than `patienceMs`.
      socket.setTimeout(0);
    };
    // Runs before Node's own listener, which sets the time-out for the next request.
    response.prependListener("finish", forget);
    socket.on("close", forget);
    closeOldest();
  }

  function count(socket: Socket, bytes: number): void {
    total += bytes - (unread.get(socket) ?? 0);
    if (bytes > 0) unread.set(socket, bytes);
    else unread.delete(socket);
  }

  /** Keeps the last connection: a single answer may have any size. */
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
