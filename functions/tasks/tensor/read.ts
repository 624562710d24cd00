import type { Limits } from "../../model/limits.ts";
import type { Manifest } from "../../model/manifest.ts";
import { DATATYPES, elementCount, type Tensor, type TensorData } from "../../tensor.ts";
import { readElement } from "./element.ts";

type TensorInfo = Manifest["inputs"][number];

/** What is wrong, and where below the tensor: `[2][0]`, or nothing for the tensor itself. */
interface Problem {
  path: string;
  message: string;
}

/** A JSON value as the tensor that the manifest describes. */
export function readTensor(given: unknown, info: TensorInfo, limits: Limits): Tensor | Problem {
  if (given === undefined) return problem("is missing");
  const described = typeof given === "object" && given !== null && !Array.isArray(given);
  return described ? readDescribed(given, info, limits) : readNested(given, info, limits);
}

function readDescribed(given: object, info: TensorInfo, limits: Limits): Tensor | Problem {
  const { datatype, shape, data, ...others } = given as Record<string, unknown>;
  const [other] = Object.keys(others);
  if (other !== undefined) return problem("is not datatype, shape or data", `.${other}`);
  if (datatype !== undefined && datatype !== info.datatype)
    return problem(`must be ${info.datatype}`, ".datatype");
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0))
    return problem("must be an array of sizes", ".shape");
  const sizes = shape as number[];
  const misfit = shapeProblem(sizes, info);
  if (misfit) return problem(misfit, ".shape");
  if (!Array.isArray(data))
    return problem("must be an array of elements in row-major order", ".data");
  if (data.length !== elementCount(sizes))
    return problem(`must have ${elementCount(sizes)} elements, has ${data.length}`, ".data");
  return convert(data, sizes, info, limits, (index) => `.data[${index}]`);
}

function readNested(given: unknown, info: TensorInfo, limits: Limits): Tensor | Problem {
  const shape: number[] = [];
  for (
    let level = given;
    Array.isArray(level) && shape.length <= info.shape.length;
    level = level[0]
  )
    shape.push(level.length);
  const misfit = shapeProblem(shape, info);
  if (misfit) return problem(misfit);
  // The first of each level gave the shape; only what is there is counted, never what it promises.
  let level: unknown[] = [given];
  for (const [depth, size] of shape.entries()) {
    const odd = level.findIndex((inner) => !Array.isArray(inner) || inner.length !== size);
    if (odd >= 0)
      return problem(
        `must be an array of ${size}, as the first one is`,
        indexPath(odd, shape.slice(0, depth)),
      );
    level = level.flat();
  }
  return convert(level, shape, info, limits, (index) => indexPath(index, shape));
}

function convert(
  values: readonly unknown[],
  shape: readonly number[],
  { datatype }: TensorInfo,
  limits: Limits,
  pathOf: (index: number) => string,
): Tensor | Problem {
  const { length } = values;
  const data: TensorData =
    datatype === "BYTES" ? Array.from({ length }, () => "") : new DATATYPES[datatype].array(length);
  for (let index = 0; index < length; index++) {
    const message = readElement(values[index], datatype, limits, data, index);
    if (message) return problem(message, pathOf(index));
  }
  return { datatype, shape, data };
}

/** `[1][0]` for element 2 of the shape [2, 2]. */
function indexPath(index: number, shape: readonly number[]): string {
  let path = "";
  let rest = index;
  for (const size of shape.toReversed()) {
    path = `[${rest % size}]${path}`;
    rest = Math.floor(rest / size);
  }
  return path;
}

function shapeProblem(shape: readonly number[], { shape: wanted }: TensorInfo): string | undefined {
  const fits =
    shape.length === wanted.length &&
    shape.every((size, axis) => size > 0 && (wanted[axis] === -1 || wanted[axis] === size));
  if (fits) return undefined;
  const [asked, had] = [wanted, shape].map((sizes) => `[${sizes.join(", ")}]`);
  return `must have the shape ${asked}, -1 for any size but none, has ${had}`;
}

function problem(message: string, path = ""): Problem {
  return { path, message };
}
