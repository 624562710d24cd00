import { createApp as createAppOf } from "./app.ts";
import type { Platform } from "./platform/types.ts";

export { NearcastError } from "./errors.ts";
export type { Manifest } from "./model/manifest.ts";
export type { Limiter, Platform, Store } from "./platform/types.ts";

export interface Service {
  platform: Platform;
}

/** The service of a platform. */
export function createService(platform: Platform): Service {
  return { platform };
}

/** The service over HTTP: a Hono app, whose `fetch` answers requests. */
export function createApp({ platform }: Service): ReturnType<typeof createAppOf> {
  return createAppOf(platform);
}
