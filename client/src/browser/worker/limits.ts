import type { Limits } from "../../../../functions/model/limits.ts";

const MIB = 1024 * 1024;

/** What the service allows where nothing else is configured. */
export const PAGE_LIMITS: Limits = {
  bodyBytes: 6 * MIB,
  batch: 1000,
  textLength: 100_000,
  imagePixels: 16_000_000,
  audioSeconds: 120,
  elements: 4_194_304,
  positionPairs: 4_194_304,
  answerBytes: 16 * MIB,
};

/** What WASM memory may grow to. A run that needs more rejects with `out_of_memory`, and the service is asked. */
export const PAGE_MEMORY_BYTES = 512 * MIB;
