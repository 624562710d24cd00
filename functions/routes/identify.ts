import type { Context } from "hono";
import type { Manifest } from "../model/manifest.ts";
import { quotaHeaders } from "../limits/quota.ts";
import { serverTiming } from "../phases.ts";
import type { AppEnv, CacheOutcome, RequestContext } from "../request-context.ts";

/** RFC 9211. */
const CACHE_STATUS: Record<CacheOutcome, string> = {
  hit: "nearcast; hit",
  miss: "nearcast; fwd=miss",
  collapsed: "nearcast; fwd=miss; collapsed",
  bypass: "nearcast; fwd=request",
};

/**
 * The headers that say what made an answer and, where that is measured, how long each phase took, whether it
 * was kept from an earlier request, and what the caller's rate has left. They are set through Hono's context:
 * touching `c.res` first would make a full Response, half the cost of a request.
 */
export function identify(c: Context<AppEnv>, manifest: Manifest, context?: RequestContext): void {
  c.header("X-Model-Name", manifest.name);
  c.header("X-Model-Version", manifest.version);
  c.header("X-Model-Digest", `sha256:${manifest.artifact.sha256}`);
  if (!context) return;
  const { phases, cache, quota } = context;
  const timing = serverTiming(phases);
  if (timing) c.header("Server-Timing", timing);
  if (cache) c.header("Cache-Status", CACHE_STATUS[cache]);
  if (!quota) return;
  const headers = quotaHeaders(quota);
  for (const name in headers) c.header(name, headers[name] as string);
}
