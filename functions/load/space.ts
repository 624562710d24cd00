import { Line } from "../line.ts";
import type { Deadline } from "./deadline.ts";

/** Memory that calls take for a while, of all calls together. */
export interface Space {
  /** What one call will take, with so many bytes at a time. */
  of(bytes: number, deadline: Pick<Deadline, "check" | "endsAt">): Share;
}

export interface Share {
  /**
   * Waits until there is room, behind those who came before. A second time does nothing. Rejects with what the deadline
   * throws.
   */
  take(this: void): Promise<void>;
  /** Gives back what was taken, if anything was. */
  give(): void;
}

/** Those who wait look again after this time: on Workers no request may settle another's promise. */
const LOOK_EVERY_MS = 10;

/** A space of so many bytes. A call that needs more than that waits until all of it is free. */
export function createSpace(most: number): Space {
  /** Those who have room, and behind them those who wait for it. */
  const line = new Line<{ bytes: number; endsAt: number }>();

  /** How many bytes those in the line before a call need. */
  function before(own: object): number {
    let bytes = 0;
    for (const place of line) {
      if (place.value === own || bytes > most) break;
      // workerd drops the work of clients that went away: such a call never gives anything back.
      if (performance.now() > place.value.endsAt) line.leave(place);
      else bytes += place.value.bytes;
    }
    return bytes;
  }

  return {
    of(bytes, deadline) {
      let place: ReturnType<typeof line.enter> | undefined;
      const give = (): void => {
        if (place) line.leave(place);
      };
      return {
        async take() {
          if (place) return;
          const own = { bytes, endsAt: deadline.endsAt() };
          place = line.enter(own);
          for (let taken = before(own); taken > 0 && taken + bytes > most; taken = before(own)) {
            deadline.check();
            await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
          }
        },
        give,
      };
    },
  };
}
