import { NearcastError } from "../errors.ts";

const OUT_OF_MEMORY =
  /bad_alloc|failed to allocate (?:memory|a buffer)|array buffer allocation failed|invalid (?:typed )?array (?:buffer )?length|out of memory/i;

/**
 * Turns the failure of a load or run into `out_of_memory` when ONNX Runtime found no memory for it. Such a failure
 * harms nothing else. Other causes stay as they are.
 */
export function explainFailure(cause: unknown): unknown {
  return OUT_OF_MEMORY.test(String(cause)) ? outOfMemory(cause) : cause;
}

/** The error for a load or run without enough memory, or with more than it may take. */
export function outOfMemory(cause: unknown): NearcastError {
  return new NearcastError(
    "out_of_memory",
    "There is not enough memory for this. Send fewer or smaller inputs.",
    { cause },
  );
}

/** The error for a runtime that broke down, during this request or another one. The next request gets a new runtime. */
export function runtimeFailed(cause: unknown): NearcastError {
  return new NearcastError(
    "runtime_failed",
    "ONNX Runtime broke down and is replaced. Try again. If it happens with the same input each time, the model cannot compute that input.",
    { cause, retryAfterSeconds: 1 },
  );
}
