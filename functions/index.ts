export { createApp } from "./app.ts";
export { NearcastError } from "./errors.ts";
export type { Manifest } from "./model/manifest.ts";
export type { Limiter, Platform, Store } from "./platform/types.ts";
