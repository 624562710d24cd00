/**
 * The most WASM memory that an idle decoder keeps, since WASM memory never shrinks. The memory of JPEG and WebP
 * decoders begins with 16 MiB, enough for about two million pixels.
 */
const KEPT_BYTES = 20 * 1024 * 1024;

/** A place for one idle decoder: that of the last image. */
export interface IdlePlace {
  instance?: unknown;
  of?: unknown;
}

/**
 * Uses one instance of a decoder again and again. Drops an instance that failed, since its state is unknown, and one
 * whose memory has grown, since it would keep that memory for ever. Another decoder may also take its place. The next
 * use then starts a new instance, which takes less than a millisecond.
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
