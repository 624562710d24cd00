import type { Runtime } from "../runtime/types.ts";
import type { Manifest } from "./manifest.ts";

/** What the smallest session takes. */
const LEAST_BYTES = 100 * 1024;

/**
 * How many times its files a session takes on native ONNX Runtime, by what the model takes. Trees are unpacked: forests
 * of 4 to 8 MB took 5 to 6 times their file, and twice that while they load. Graphs that split texts keep tables of
 * words: 14 times. Weights are there twice, as they were read and as the processor wants them.
 */
const TIMES = { features: 8, strings: 16, others: 2 };

/**
 * How much memory a session takes: as `nearcast verify` measured it, or an estimate. WASM memory is bounded by itself, so
 * there it is the size of its files.
 */
export function sessionBytes(
  manifest: Manifest,
  fileBytes: number,
  { name }: Pick<Runtime, "name">,
): number {
  if (name === "wasm") return fileBytes;
  const { sessionBytes: measured } = manifest.artifact;
  if (measured !== undefined) return Math.max(LEAST_BYTES, measured);
  return LEAST_BYTES + fileBytes * timesOf(manifest);
}

function timesOf({ inputs, features }: Manifest): number {
  if (features) return TIMES.features;
  return inputs.some(({ datatype }) => datatype === "BYTES") ? TIMES.strings : TIMES.others;
}

/** The bytes of the files that a session is made of: the artifact, and weights outside of it. */
export function fileBytesOf({ artifact: { bytes, externalData = [] } }: Manifest): number {
  return externalData.reduce((sum, { bytes: own }) => sum + own, bytes);
}
