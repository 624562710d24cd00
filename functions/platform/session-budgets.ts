import type { Isolate } from "../model/too-large.ts";
import type { PlatformName } from "../variable.ts";

const MIB = 1024 * 1024;

/** `SESSION_BUDGET_MB` where nothing is said. A Worker's isolate has 128 MB, and WASM memory is up to four times the artifact while it loads. */
export const SESSION_BUDGETS_MB: Record<PlatformName, number> = {
  node: 512,
  lambda: 256,
  cloudflare: 32,
};

/** A Worker's isolate has 128 MB, JavaScript and WASM together. A run that needs more WASM memory is refused. */
export const WORKER_ISOLATE: Isolate = { wasmBytes: 112 * MIB, allBytes: 128 * MIB };
