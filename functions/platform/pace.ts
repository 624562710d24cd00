/** Work of many connections, of which each turn of the event loop does a part. */
export interface Pace {
  add(task: () => void): void;
}

/** So much of a turn is for the tasks. The one that is begun is done. */
const SLICE_MS = 5;

/**
 * Does tasks in the order in which they came, a few milliseconds of them in a turn of the event loop. So reading and
 * new connections, of which a turn accepts one, wait for no more than that.
 */
export function createPace({ perTurn = 64 } = {}): Pace {
  const tasks: (() => void)[] = [];
  let began = 0;
  let isOn = false;

  /** In the next turn. Each task has a callback of its own: what it awaits is done before the next one. */
  function nextTurn(): void {
    began = 0;
    isOn = tasks.length > 0;
    if (!isOn) return;
    for (let left = Math.min(tasks.length, perTurn); left > 0; left--) setImmediate(doNext);
    setImmediate(nextTurn);
  }

  function doNext(): void {
    const now = performance.now();
    if (began === 0) began = now;
    if (now - began < SLICE_MS) tasks.shift()?.();
  }

  return {
    add(task) {
      tasks.push(task);
      if (isOn) return;
      isOn = true;
      setImmediate(nextTurn);
    },
  };
}
