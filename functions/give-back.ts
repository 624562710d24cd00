import type { Tensors } from "./tensor.ts";

/** Below this, the collector is cheaper. */
const LEAST_BYTES = 4096;

/**
 * Frees the memory of a view that has a buffer to itself. Nobody may read the view afterwards. V8 lets up to 32 MiB of such
 * buffers wait for the collector, and they lie between those that stay: the process never gets smaller again. Node 20
 * leaves all to the collector.
 */
export function giveBack({ buffer, byteLength }: ArrayBufferView): void {
  if (byteLength !== buffer.byteLength || byteLength < LEAST_BYTES) return;
  (buffer as { transfer?: (bytes: number) => unknown }).transfer?.(0);
}

/** The same for the numbers of tensors. */
export function giveBackTensors(tensors: Tensors): void {
  for (const { data } of Object.values(tensors)) if (!Array.isArray(data)) giveBack(data);
}
