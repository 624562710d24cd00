import type { Manifest } from "../model/manifest.ts";
import type { Tensors } from "../tensor.ts";
import { toBinary } from "../wire/binary-tensor.ts";
import { concatenate } from "../wire/body.ts";

/** What the outputs of a run follow from. */
export interface Question {
  artifact: Manifest["artifact"];
  /** ONNX Runtime's two builds differ in the last digits. */
  runtime: string;
  outputNames: readonly string[];
  feeds: Tensors;
}

/**
 * The SHA-256 of all that a run's outputs follow from, as 64 hexadecimal digits: a description in JSON, whose
 * length comes first, and after it the elements of each input, as long as the description says. No two
 * questions are written alike.
 */
export async function keyOf({ artifact, runtime, outputNames, feeds }: Question): Promise<string> {
  const inputs = Object.entries(feeds)
    // Each dialect has its own order.
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, tensor]) => ({ name, tensor, bytes: toBinary(tensor) }));
  const files = [artifact, ...(artifact.externalData ?? [])];
  const description = new TextEncoder().encode(
    JSON.stringify([
      files.map(({ file, sha256 }) => [file, sha256]),
      runtime,
      outputNames,
      inputs.map(({ name, tensor: { datatype, shape }, bytes }) => [
        name,
        datatype,
        shape,
        bytes.byteLength,
      ]),
    ]),
  );
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, description.byteLength);
  const parts = [length, description, ...inputs.map(({ bytes }) => bytes)];
  const total = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", concatenate(parts, total)));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
