import { digest } from "../digest.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Tensors } from "../tensor.ts";
import { tensorBytes } from "./tensor-bytes.ts";

/** Everything that decides the outputs of a run. */
export interface Question {
  artifact: Manifest["artifact"];
  /** ONNX Runtime's two builds differ in the last digits. */
  runtime: string;
  outputNames: readonly string[];
  feeds: Tensors;
  /** The manifest of a run in steps, which decides what these are. */
  steps?: Manifest | undefined;
}

/**
 * The SHA-256 of a question, as 64 hexadecimal digits. Different questions are always hashed from different bytes: see
 * {@link tensorBytes}.
 */
export async function keyOf({
  artifact,
  runtime,
  outputNames,
  feeds,
  steps,
}: Question): Promise<string> {
  const files = [artifact, ...(artifact.externalData ?? [])];
  const about = [files.map(({ file, sha256 }) => [file, sha256]), runtime, outputNames, steps];
  // Sorted, since each dialect has its own order of inputs.
  const inputs = Object.entries(feeds).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return digest(tensorBytes(inputs, { about, reserved: 0 }));
}
