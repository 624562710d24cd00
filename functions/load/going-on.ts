/** The turns of long work that goes on, of all kinds: a part of one request at a time. */
export interface GoingOn {
  /**
   * Lets others go first, and waits for a turn for the next part. It is for some milliseconds, and ends by itself when
   * the event loop turns. What has done fewest parts goes first, but now and then what has waited longest.
   */
  next(done: number): Promise<void>;
}

interface Waiter {
  done: number;
  begin: () => void;
}

/** However many requests have just come, one part in this many of the time is for work that goes on. */
const SHARE = 4;
/** One turn in this many is for what has waited longest. Otherwise a flood of short work would keep it waiting for ever. */
const OLDEST_EVERY = 8;

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
  /** In the order in which they came. */
  const waiting: Waiter[] = [];
  /** When the part began that is being done. */
  let began: number | undefined;
  /** When the last part ended, and how long it took. */
  let [ended, took] = [0, 0];
  let given = 0;
  let isOn = false;

  function turn(): void {
    const time = now();
    if (began !== undefined) [ended, took, began] = [time, time - began, undefined];
    isOn = waiting.length > 0;
    if (!isOn) return;
    if (!isWaited() || time - ended >= (SHARE - 1) * took) {
      began = time;
      shift()?.begin();
    }
    void turnEventLoop().then(turn);
  }

  /** Takes the next one out of the line. */
  function shift(): Waiter | undefined {
    given += 1;
    if (given % OLDEST_EVERY === 0) return waiting.shift();
    const fewest = Math.min(...waiting.map(({ done }) => done));
    const place = waiting.findIndex(({ done }) => done === fewest);
    return waiting.splice(place, 1)[0];
  }

  return {
    next(done) {
      return new Promise((begin) => {
        waiting.push({ done, begin });
        if (isOn) return;
        isOn = true;
        void turnEventLoop().then(turn);
      });
    },
  };
}
