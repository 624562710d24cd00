/**
 * What became of a message: its work is done, or it is wanted again after some seconds. `hasEnded`: only its webhook or its
 * removal is left to do.
 */
export type Outcome = "done" | { retryAfterSeconds: number; hasEnded?: true };

/**
 * Handles a message. `tries` counts how often it was handed out since a handler last settled: more than one means that
 * the process ended in between. Never rejects.
 */
export type Handle = (key: string, tries: number) => Promise<Outcome>;

/**
 * Where jobs wait for their turns. It carries their names only. A message comes at least once, in any order, and comes
 * again when the process that handles it ends.
 */
export interface Queue {
  /**
   * Sends the key once `write` has written what it stands for: a handler that finds nothing takes it for removed. Rejects
   * when the queue is out of reach or full, or with what `write` rejects with: then there is no message.
   */
  send(key: string, write: () => Promise<void>): Promise<void>;
}

/** Handles messages, so many at once, until the returned function is called. That one waits for those being handled. */
export type Consume = (handle: Handle, atOnce: number) => () => Promise<void>;
