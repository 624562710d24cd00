import type { PlatformName } from "../variable.ts";

/** `SESSION_BUDGET_MB` where nothing is said. A Worker's isolate has 128 MB, and WASM memory is up to three times the artifact while it loads. */
export const SESSION_BUDGETS_MB: Record<PlatformName, number> = {
  node: 512,
  lambda: 256,
  cloudflare: 32,
};
