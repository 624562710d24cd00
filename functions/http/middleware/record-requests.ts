import type { MiddlewareHandler } from "hono";
import { microsecondSteps } from "../../observe/phases.ts";
import type { Platform } from "../../platform/types.ts";
import type { AppEnv } from "../exchange.ts";

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;

/**
 * One line for every request, with the same members on every platform. What a platform cannot measure
 * or a request did not come to is left out; inputs are in it only where the model's manifest says so.
 */
export function accessLog(platform: Platform): MiddlewareHandler<AppEnv> {
  const { now } = platform;
  let cold = true;
  return async function accessLog(c, next) {
    const isCold = cold;
    cold = false;
    const start = now?.() ?? 0;
    await next();
    const context = c.get("context");
    const { manifest, caller, error } = context;
    platform.log({
      level: "info",
      message: "request",
      requestId: c.get("requestId"),
      traceId: TRACEPARENT.exec(c.req.header("traceparent") ?? "")?.[1],
      method: c.req.method,
      path: c.req.path,
      key: caller.name,
      model: manifest?.name,
      version: manifest?.version,
      digest: manifest && `sha256:${manifest.artifact.sha256}`,
      status: c.res.status,
      code: error?.code,
      detail: c.res.status >= 500 ? error?.message : undefined,
      milliseconds: now && microsecondSteps(now() - start),
      phases: context.phases.durations,
      cache: context.cache,
      cold: isCold,
      inputs: context.loggedInputs,
    });
  };
}
