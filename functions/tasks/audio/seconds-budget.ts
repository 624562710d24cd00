import type { Wav } from "./wav.ts";

/** What the recordings of one request may last, and have lasted. */
export interface SecondsBudget {
  /** Counts a recording. Throws a RangeError for one too many. Its message continues the name of the input. */
  take(wav: Pick<Wav, "length" | "rate">): void;
  /** The seconds that count, to a millionth. */
  readonly counted: number;
}

/**
 * A request may have so many seconds, whatever its bytes: some milliseconds of work. More need bytes, or a few kilobytes
 * of nothing would cost as much as speech. Files that are not compressed have 4,000 a second or more.
 */
const FREE_SECONDS = 30;
const BYTES_PER_SECOND = 1000;
/** What sums of seconds may be off by rounding. */
const ROUNDING = 1e-6;

/**
 * `atLeast`: the seconds that a model of fixed features always looks at. Shorter recordings cost it as much.
 * `sentBytes`: how many bytes of the request came. What was compressed on its way does not count as more.
 */
export function createSecondsBudget({
  maxSeconds,
  atLeast,
  sentBytes = Infinity,
}: {
  maxSeconds: number;
  atLeast: number;
  sentBytes?: number | undefined;
}): SecondsBudget {
  let [counted, lasted] = [0, 0];
  return {
    take({ length, rate }) {
      const own = length / rate;
      const all = counted + Math.max(own, atLeast);
      const counts =
        own < atLeast ? ` and counts as the ${shown(atLeast)} that the model looks at` : "";
      if (all > maxSeconds + ROUNDING) {
        const before = counted > 0 ? `, and those before it ${shown(counted)}` : "";
        throw new RangeError(
          `lasts ${shown(own)} seconds${counts}${before}; the recordings of a request may last ${maxSeconds} together (MAX_AUDIO_SECONDS, or the model's limits.audioSeconds): ${counts ? "send fewer" : "make it shorter"}`,
        );
      }
      if (lasted + own > Math.max(FREE_SECONDS, sentBytes / BYTES_PER_SECOND))
        throw new RangeError(
          `brings the request to ${shown(lasted + own)} seconds in ${sentBytes} bytes; more than ${FREE_SECONDS} seconds need ${BYTES_PER_SECOND} bytes each: send it without Content-Encoding`,
        );
      counted = all;
      lasted += own;
    },
    get counted() {
      return Number(counted.toFixed(6));
    },
  };
}

/** Seconds, in words. */
export function shown(seconds: number): string {
  return String(Number(seconds.toPrecision(4)));
}
