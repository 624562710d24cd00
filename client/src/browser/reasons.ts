import type { Release } from "./release.ts";

/** Why the service answers and not the page. */
export type WhyEdge =
  /** The page has not loaded the version yet. */
  | "loading"
  /** The version's manifest does not have `"browser": true`. */
  | "not_for_pages"
  /** The browser lacks what it takes, or the page is not in a secure context. */
  | "unsupported"
  /** The user asked to save data, and the version is not loaded. */
  | "save_data"
  /** The files have more bytes than `maxBytes`. */
  | "too_large"
  /** The device has too little memory. */
  | "little_memory"
  /** The page could not load the version, or failed to run it. */
  | "page_failed"
  /** The page did not answer within `switchAfterMs`. */
  | "page_slow";

/** Why the page answers. */
export type WhyPage =
  /** It has the version. */
  | "loaded"
  /** `where` is `page`. */
  | "asked"
  /** The service did not answer within `switchAfterMs`. */
  | "edge_slow"
  /** The service is out of reach, or failed. */
  | "edge_failed";

/** ONNX Runtime in WASM, compiled and with its first memory. */
const RUNTIME_BYTES = 128 * 1024 * 1024;
/** Loading takes the artifact's bytes this many times. */
const TIMES_ARTIFACT = 4;
/** What one page may take of a device's memory. */
const SHARE_OF_DEVICE = 1 / 8;

/** Hints that only some browsers give. */
interface Hints {
  /** GiB, rounded to a power of two, at most 8 or 32. */
  deviceMemory?: number;
  connection?: { saveData?: boolean };
}

/** Whether this browser and this page can run models at all. */
export function isSupported(): boolean {
  return [globalThis.Worker, globalThis.WebAssembly, globalThis.crypto?.subtle].every(
    (needed) => needed !== undefined,
  );
}

export function savesData(): boolean {
  return (navigator as Hints).connection?.saveData === true;
}

/** Why a page should not load the version, by its size and the device. Undefined where it may. */
export function tooMuch({ bytes }: Release, maxBytes: number): WhyEdge | undefined {
  if (bytes > maxBytes) return "too_large";
  const { deviceMemory = Infinity } = navigator as Hints;
  const share = deviceMemory * 2 ** 30 * SHARE_OF_DEVICE;
  return RUNTIME_BYTES + bytes * TIMES_ARTIFACT > share ? "little_memory" : undefined;
}
