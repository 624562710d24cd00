import type { Quantity } from "../define.ts";

/** What is kept of each recording of a run. */
export interface Heard {
  seconds: number;
  /** The root of the mean square of what the model heard, from 0 to 1. */
  level: number;
}

/** How long recordings are, and how loud. */
export function audioQuantities(): Quantity[] {
  return [
    quantityOf("audio_level", ({ level }) => level),
    quantityOf("audio_seconds", ({ seconds }) => seconds),
  ];
}

function quantityOf(name: string, read: (context: Heard) => number): Quantity {
  return {
    name,
    of: "input",
    kind: "number",
    each({ runs }, take) {
      for (const { context } of runs)
        for (const one of (context as Heard[] | undefined) ?? []) take(read(one));
    },
  };
}

export function levelOf(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample ** 2;
  return Math.sqrt(sum / samples.length);
}
