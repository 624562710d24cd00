/** The turns of long work that goes on, of all kinds: a part of one request at a time. */
export interface GoingOn {
  /**
   * Lets others go first, and waits for a turn for the next part. It is for some milliseconds, and ends by itself when
   * the event loop turns. What has done fewer parts goes first.
   */
  next(done: number): Promise<void>;
}

interface Waiter {
  done: number;
  begin: () => void;
}

/** However many requests have just come, one part in this many of the time is for work that goes on. */
const SHARE = 4;

/**
 * In a turn of the event loop at most one part of long work is done, so that a request that comes waits for one part
 * however many long ones there are. While others wait that have just come, they have most of the time: few of them are
 * long.
 */
export function createGoingOn(options: {
  now: () => number;
  turnEventLoop: () => Promise<void>;
  /** Whether a request that has just come waits for a turn. */
  isWaited: () => boolean;
}): GoingOn {
  const { now, turnEventLoop, isWaited } = options;
  /** Those that have done fewest parts first, in the order in which they came. */
  const waiting: Waiter[] = [];
  /** When the last part began and ended. */
  let [began, ended] = [0, 0];
  let isOn = false;

  function turn(): void {
    const time = now();
    if (began > ended) ended = time;
    isOn = waiting.length > 0;
    if (!isOn) return;
    if (!isWaited() || time - ended >= (SHARE - 1) * (ended - began)) {
      began = time;
      waiting.shift()?.begin();
    }
    void turnEventLoop().then(turn);
  }

  return {
    next(done) {
      return new Promise((begin) => {
        const place = waiting.findIndex((other) => other.done > done);
        waiting.splice(place < 0 ? waiting.length : place, 0, { done, begin });
        if (isOn) return;
        isOn = true;
        void turnEventLoop().then(turn);
      });
    },
  };
}
