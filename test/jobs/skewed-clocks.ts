import { AsyncLocalStorage } from "node:async_hooks";

const wrongBy = new AsyncLocalStorage<number>();
const RightDate = Date;
const now = () => RightDate.now() + (wrongBy.getStore() ?? 0);

// Only for what runs in `withClock`. For all else it is the clock that it was.
globalThis.Date = class extends RightDate {
  constructor(...given: [] | [string | number | Date]) {
    if (given.length === 0) super(now());
    else super(...(given as [number]));
  }
  static override now = now;
} as DateConstructor;

/** Does the work, and all that it begins, with a clock that is wrong by so many milliseconds. */
export function withClock<T>(milliseconds: number, work: () => T): T {
  return wrongBy.run(milliseconds, work);
}
