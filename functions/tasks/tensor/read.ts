import { invalidInput } from "../../errors.ts";
import type { TensorInfo } from "../../model/manifest.ts";
import { elementCount, type Tensor } from "../../tensor.ts";
import { elementsAt, fromNested } from "../../wire/nested.ts";

/**
 * Reads the tensor that the manifest describes from JSON: nested arrays, or `{datatype, shape, data}`. Throws
 * `invalid_input` with the path of the mistake.
 */
export function readTensor(given: unknown, info: TensorInfo, path: string): Tensor {
  if (given === undefined) throw invalidInput([{ path, message: "is missing" }]);
  const described = typeof given === "object" && given !== null && !Array.isArray(given);
  return described ? readDescribed(given, info, path) : fromNested(info, given, path);
}

function readDescribed(given: object, info: TensorInfo, path: string): Tensor {
  const { datatype, shape, data, ...others } = given as Record<string, unknown>;
  const wrong = (member: string, message: string) =>
    invalidInput([{ path: `${path}.${member}`, message }]);
  const [other] = Object.keys(others);
  if (other !== undefined) throw wrong(other, "is not datatype, shape or data");
  if (datatype !== undefined && datatype !== info.datatype)
    throw wrong("datatype", `must be ${info.datatype}`);
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0))
    throw wrong("shape", "must be an array of sizes");
  if (!Array.isArray(data)) throw wrong("data", "must be an array of elements in row-major order");
  const count = elementCount(shape as number[]);
  if (data.length !== count) throw wrong("data", `must have ${count} elements, has ${data.length}`);
  return {
    datatype: info.datatype,
    shape: shape as number[],
    data: elementsAt(info.datatype, data, (index) => `${path}.data[${index}]`),
  };
}
