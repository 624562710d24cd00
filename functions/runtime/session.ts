import type { InferenceSession, Tensor as OrtTensor, TensorConstructor } from "onnxruntime-common";
import { DATATYPES, datatypeOfOrt, type Tensor, type Tensors } from "../tensor.ts";
import type { Session } from "./types.ts";

/**
 * Keeps ONNX Runtime from logging. An input that the graph cannot compute is the client's mistake, and the rejection
 * has the reason. It is set for sessions and again for runs, since WASM defaults to warnings there.
 */
export const LOG_FATAL_ONLY = 4;

/**
 * Wraps an ONNX Runtime session so that it takes and gives our tensors. Native and WASM share their types. `explain`
 * turns a run's error into the rejection.
 */
export function wrapSession(
  session: InferenceSession,
  OrtTensorClass: TensorConstructor,
  explain: (cause: unknown) => unknown,
): Session {
  return {
    async run(feeds, outputNames) {
      try {
        const ortFeeds: Record<string, OrtTensor> = {};
        for (const name in feeds) ortFeeds[name] = toOrt(feeds[name] as Tensor, OrtTensorClass);
        const results = await session.run(ortFeeds, outputNames, {
          logSeverityLevel: LOG_FATAL_ONLY,
        });
        const outputs: Tensors = {};
        for (const name of outputNames) outputs[name] = fromOrt(results[name] as OrtTensor);
        return outputs;
      } catch (cause) {
        throw explain(cause);
      }
    },
    release: () => session.release(),
  };
}

function toOrt(tensor: Tensor, OrtTensorClass: TensorConstructor): OrtTensor {
  const type = DATATYPES[tensor.datatype].ort;
  // The constructor's overloads pair each type with its array. The table of datatypes has paired them already.
  const made = new OrtTensorClass(type as "float32", tensor.data as Float32Array, tensor.shape);
  // The constructor makes a Float16Array where there is one, but the native runtime would read that as empty.
  if (type === "float16") Object.defineProperty(made, "data", { value: tensor.data });
  return made;
}

function fromOrt(tensor: OrtTensor): Tensor {
  return {
    datatype: datatypeOfOrt(tensor.type),
    shape: tensor.dims,
    data: tensor.type === "float16" ? bitsOf(tensor.data as ArrayBufferView) : tensor.data,
  };
}

function bitsOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint16Array {
  return new Uint16Array(buffer, byteOffset, byteLength / 2);
}
