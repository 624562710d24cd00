export type { Limiter } from "./limits/limiter.ts";
export type { Store } from "./model/store.ts";
