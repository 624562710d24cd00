import { NearcastError } from "./errors.ts";

/** Until when the answer to a request is wanted. Times are milliseconds. */
export interface Deadline {
  /** Throws `deadline_exceeded` when it is over, `client_closed_request` when the client went away. */
  check(): void;
  /** Moves it to so long after the request's start, if that is sooner. */
  shorten(timeoutMs: number): void;
  /** The work's result; rejects with `deadline_exceeded` when it is not there in time. */
  within<T>(work: Promise<T>): Promise<T>;
  /** How long ago the request began. */
  age(): number;
}

/** A deadline that begins now. */
export function createDeadline(timeoutMs: number, isClientGone: () => boolean): Deadline {
  const start = performance.now();
  let longest = timeoutMs;
  let expire: ((error: NearcastError) => void) | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const exceeded = () =>
    new NearcastError("deadline_exceeded", `There was no answer within ${longest} ms.`);

  function arm(): void {
    clearTimeout(timer);
    const left = Math.max(start + longest - performance.now(), 0);
    timer = setTimeout(() => expire?.(exceeded()), left);
  }

  const before =
    <V>(settle: (value: V) => void) =>
    (value: V): void => {
      clearTimeout(timer);
      settle(value);
    };

  return {
    age: () => performance.now() - start,
    check() {
      if (performance.now() - start >= longest) throw exceeded();
      if (isClientGone()) throw new NearcastError("client_closed_request", "The client went away.");
    },
    shorten(sooner) {
      if (sooner >= longest) return;
      longest = sooner;
      if (timer !== undefined) arm();
    },
    // Every request passes here: `Promise.race` with its clean-up would take twice as long.
    within: (work) =>
      new Promise((resolve, reject) => {
        expire = reject;
        arm();
        work.then(before(resolve), before(reject));
      }),
  };
}
