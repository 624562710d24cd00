import type { Context } from "hono";
import type { Manifest } from "../model/manifest.ts";
import { quotaHeaders } from "../limits/quota.ts";
import { serverTiming } from "../observe/phases.ts";
import type { AppEnv, CacheOutcome, RequestContext } from "./exchange.ts";

/** RFC 9211. */
const CACHE_STATUS: Record<CacheOutcome, string> = {
  hit: "nearcast; hit",
  miss: "nearcast; fwd=miss",
  collapsed: "nearcast; fwd=miss; collapsed",
  bypass: "nearcast; fwd=request",
};

/**
 * The headers that say what made an answer and, where that is measured, how long each phase took, whether it
 * was kept from an earlier request, and what the caller's rate has left.
 */
export function identify(c: Context<AppEnv>, manifest: Manifest, context?: RequestContext): void {
  const headers = c.get("headers");
  headers["X-Model-Name"] = manifest.name;
  headers["X-Model-Version"] = manifest.version;
  headers["X-Model-Digest"] = `sha256:${manifest.artifact.sha256}`;
  if (!context) return;
  const { phases, cache, quota } = context;
  const timing = serverTiming(phases);
  if (timing) headers["Server-Timing"] = timing;
  if (cache) headers["Cache-Status"] = CACHE_STATUS[cache];
  if (quota) Object.assign(headers, quotaHeaders(quota));
}
