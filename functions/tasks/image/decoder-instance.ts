/**
 * The most WASM memory that an idle decoder keeps: it never shrinks. JPEG's and WebP's begin with 16 MiB, which
 * is enough for some two million pixels.
 */
const KEPT_BYTES = 20 * 1024 * 1024;

/** A place for one idle decoder: that of the last image. */
export interface IdlePlace {
  instance?: unknown;
  of?: unknown;
}

/**
 * Uses one instance of a decoder again and again. One that failed is in an unknown state, and one whose memory
 * has grown would hold it for ever: the next use starts another, which takes less than a millisecond. So does
 * one whose place was taken by another decoder.
 */
export function keepInstance<Instance>(
  start: () => Instance,
  memoryBytes: (instance: Instance) => number,
  idle: IdlePlace,
) {
  return function use<Result>(work: (instance: Instance) => Result): Result {
    const instance = idle.of === start ? (idle.instance as Instance) : start();
    delete idle.instance;
    delete idle.of;
    const result = work(instance);
    if (memoryBytes(instance) <= KEPT_BYTES) Object.assign(idle, { instance, of: start });
    return result;
  };
}
