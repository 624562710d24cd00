import type { Context } from "hono";
import type { CacheOutcome, CallRecord } from "../call.ts";
import { statusHeader } from "../features/status.ts";
import type { Manifest } from "../model/manifest.ts";
import { quotaHeaders } from "../limits/quota.ts";
import { serverTiming } from "../observe/phases.ts";
import { nameAssignment, type AppEnv } from "./exchange.ts";

/** RFC 9211. */
const CACHE_STATUS: Record<CacheOutcome, string> = {
  hit: "nearcast; hit",
  miss: "nearcast; fwd=miss",
  collapsed: "nearcast; fwd=miss; collapsed",
  bypass: "nearcast; fwd=request",
};

/**
 * Sets the headers that name the model, version and artifact of an answer, why it was this version, and whether it was
 * kept from an earlier request, and where looked-up features are from. Also the time of each phase, where it is measured, and what is left of the caller's rate.
 */
export function identify(c: Context<AppEnv>, manifest: Manifest, record?: CallRecord): void {
  const exchange = c.get("exchange");
  const { headers } = exchange;
  headers["X-Model-Name"] = manifest.name;
  headers["X-Model-Version"] = manifest.version;
  headers["X-Model-Digest"] = `sha256:${manifest.artifact.sha256}`;
  nameAssignment(exchange);
  if (!record) return;
  const { durations, cache, features, quota } = record;
  const timing = serverTiming(durations);
  if (timing) headers["Server-Timing"] = timing;
  if (cache) headers["Cache-Status"] = CACHE_STATUS[cache];
  if (features) headers["X-Feature-Status"] = statusHeader(features);
  if (quota) Object.assign(headers, quotaHeaders(quota));
}
