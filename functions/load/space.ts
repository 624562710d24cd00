import type { Deadline } from "./deadline.ts";

/** Memory that calls take for a while. */
export interface Space {
  /**
   * Waits, first come, first served, until so many bytes are free, or until all are where the call needs more than there
   * are. Resolves to what gives them back. Rejects with what the deadline throws.
   */
  take(bytes: number, deadline: Pick<Deadline, "check">): Promise<() => void>;
}

interface Waiter {
  bytes: number;
  deadline: Pick<Deadline, "check">;
  begin: (give: () => void) => void;
  end: (error: unknown) => void;
}

/** A space of so many bytes. */
export function createSpace(most: number): Space {
  const waiting: Waiter[] = [];
  let taken = 0;

  function next(): void {
    for (;;) {
      const [first] = waiting;
      if (!first || (taken > 0 && taken + first.bytes > most)) return;
      waiting.shift();
      begin(first);
    }
  }

  function begin({ bytes, deadline, begin: resolve, end }: Waiter): void {
    try {
      deadline.check();
    } catch (error) {
      end(error);
      return;
    }
    taken += bytes;
    resolve(() => {
      taken -= bytes;
      next();
    });
  }

  return {
    take(bytes, deadline) {
      return new Promise((resolve, reject) => {
        waiting.push({ bytes, deadline, begin: resolve, end: reject });
        next();
      });
    },
  };
}
