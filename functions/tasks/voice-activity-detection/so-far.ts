import type { SoFar } from "./speech.ts";

/** How many numbers {@link numbersOfSoFar} makes. */
export const PLACES = 5;

const NONE = -1;

/** The speech before a window as numbers, for a state. */
export function numbersOfSoFar({ at, start, quiet, last }: SoFar): Float64Array {
  return Float64Array.of(at, start ?? NONE, quiet ?? NONE, last?.start ?? NONE, last?.end ?? NONE);
}

/** Undefined for numbers that {@link numbersOfSoFar} never makes. */
export function soFarOf(numbers: Float64Array): SoFar | undefined {
  const [at, start, quiet, from, to] = numbers as unknown as [
    number,
    number,
    number,
    number,
    number,
  ];
  const isPlace = (place: number) => Number.isSafeInteger(place) && place >= NONE && place <= at;
  if (at < 0 || !Number.isSafeInteger(at) || !numbers.every(isPlace)) return undefined;
  if ((from === NONE) !== (to === NONE) || from > to) return undefined;
  if (quiet !== NONE && (start === NONE || quiet < start)) return undefined;
  if (start !== NONE && start < to) return undefined;
  return {
    at,
    start: start === NONE ? undefined : start,
    quiet: quiet === NONE ? undefined : quiet,
    last: to === NONE ? undefined : { start: from, end: to },
  };
}
