import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readOnnx } from "../functions/platform/onnx/model.ts";
import { label, type LocalPackage } from "./package-folder.ts";

/** Operators that take or give 8-bit numbers, such as QAttention and GatherBlockQuantized. */
export const EIGHT_BITS = /[Ii]nteger|NBits|QLinear|[Qq]uantize|^Q[A-Z]/;
/** TensorProto.DataType of int8. Numbers of uint8 may be pictures or bits. */
const INT8 = 3;
/** Tensors with fewer numbers are no weights of a layer. */
const LEAST_NUMBERS = 1024;

/**
 * What may make a version fit a Worker that it does not fit, in the order to try. What was done to it is left out:
 * `optimised` where optimize has just tried.
 */
export async function nextSteps(
  local: LocalPackage,
  { optimised = false }: { optimised?: boolean } = {},
): Promise<string[]> {
  const { artifact } = local.manifest;
  const model = label(local.manifest);
  const isOrt = artifact.file.endsWith(".ort");
  return [
    ...(optimised || isOrt || artifact.externalData ? [] : [`nearcast optimize ${model}`]),
    ...(isOrt || (await isInEightBits(local)) ? [] : [`nearcast quantize ${model} --int8`]),
    `nearcast verify ${model} --runtime native --record, which publishes it for Lambda and Node alone: a Worker with SPILL_URL has it answered there (docs/spillover.md)`,
  ];
}

/** Whether its weights are quantised already. */
export async function isInEightBits({ folder, manifest }: LocalPackage): Promise<boolean> {
  const { graph } = readOnnx(await readFile(join(folder, manifest.artifact.file)));
  if (!graph) return false;
  return (
    graph.node.some(({ opType }) => EIGHT_BITS.test(opType)) ||
    graph.initializer.some(
      ({ dataType, dims }) =>
        dataType === INT8 &&
        dims.reduce((product, size) => product * Number(size), 1) >= LEAST_NUMBERS,
    )
  );
}
