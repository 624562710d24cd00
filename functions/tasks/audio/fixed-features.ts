import type { Parts } from "../define.ts";

/** Makes the graph's numbers of a recording, for features of a fixed size. It keeps its own memory between calls. */
export interface FixedFeatures {
  /** The shape of one recording. */
  shape: readonly [number, number];
  /** Samples that it looks at. More are cut. */
  mostSamples: number;
  fewestSamples: number;
  /** How long the frames are together, filled up or not. */
  seconds: number;
  /** Writes the numbers of a recording, in parts. */
  fill(samples: Float32Array, into: Float32Array): Parts<void>;
}
