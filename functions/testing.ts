export type { Limiter, Store } from "./platform/types.ts";
