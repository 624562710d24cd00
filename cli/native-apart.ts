import { totalmem } from "node:os";
import { NearcastError } from "../functions/errors.ts";
import { createProcessPool } from "../functions/runtime/process-pool.ts";
import type { Runtime } from "../functions/runtime/types.ts";

/** A few made-up rows take seconds at most. */
export const APART_MS = 30_000;

const MEMORY_SHARE = 0.8;

let pool: Runtime | undefined;

/**
 * Native ONNX Runtime in a process of its own, for models that nothing is known of yet: some graphs crash native code,
 * never end, or take all memory. One process serves the whole command.
 */
export function nativeApart(): Runtime {
  return (pool ??= createProcessPool({
    workers: 1,
    threads: 1,
    memoryBytes: totalmem() * MEMORY_SHARE,
    log: () => undefined,
  }));
}

/**
 * What a run apart did to its process, as the end of a sentence. Undefined if it only refused its inputs.
 */
export function harmOf(error: unknown): string | undefined {
  if (!(error instanceof NearcastError)) return undefined;
  if (error.code === "deadline_exceeded") return `did not end within ${APART_MS / 1000} s`;
  if (error.code === "out_of_memory") return "took all memory";
  return error.code === "runtime_failed" ? "ended ONNX Runtime's process" : undefined;
}
