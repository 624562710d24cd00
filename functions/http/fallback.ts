import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { RegistryFor } from "../auth/access.ts";
import { NearcastError } from "../errors.ts";
import { hasBody, leftOf } from "../spillover/region.ts";
import { answer } from "./answer.ts";
import { pathOf, type AppEnv } from "./exchange.ts";
import { asJob, type App } from "./job-run.ts";
import { requestFields } from "./request-fields.ts";
import { SPILLOVER } from "./spill.ts";

/** Answers a failed request in another way. Undefined where there is none. */
export type Fallback = (c: Context<AppEnv>, error: Error) => Promise<Response | undefined>;

/**
 * Answers by the version that the release names as `fallback`, when the region is not available: the request goes
 * through the app once more, as a job does. Not where the caller named the version, and not where the other version fails.
 */
export function createFallback(app: App, registryFor: RegistryFor): Fallback {
  return async function fallback(c, error) {
    const exchange = c.get("exchange");
    const { record, caller, id, body, deadline } = exchange;
    if (!(error instanceof NearcastError) || error.code !== "region_unavailable") return undefined;
    const { model, version, reason } = record ?? {};
    if (model === undefined || (reason !== "stable" && reason !== "candidate")) return undefined;
    const smaller = await registryFor(caller, "predict")
      .release(model)
      .then(
        (release) => release.fallback,
        () => undefined,
      );
    if (smaller === undefined || smaller === version) return undefined;
    const { method } = c.req;
    const sent = hasBody(method) ? body : undefined;
    const again = new Request(`http://fallback.internal${pathOf(c)}${new URL(c.req.url).search}`, {
      method,
      headers: {
        ...requestFields(c),
        "x-request-id": id,
        "x-request-timeout-ms": String(leftOf(deadline)),
        "content-length": String(sent?.byteLength ?? 0),
      },
      ...(sent && { body: sent }),
    });
    const assignment = { version: smaller, reason: "fallback" as const };
    const decided = { model, assignment };
    const run = { caller, rateKey: undefined, isUnpaid: false, decided, partOf: exchange };
    const answered = await app.fetch(again, asJob(run));
    if (answered.status >= 400) {
      exchange.record = record;
      return undefined;
    }
    const headers = Object.fromEntries(answered.headers);
    headers[SPILLOVER.toLowerCase()] = "fallback";
    for (const name of Object.keys(exchange.headers))
      if (name.toLowerCase() in headers) delete exchange.headers[name];
    const whole = new Uint8Array(await answered.arrayBuffer());
    return answer(c, whole, headers, answered.status as ContentfulStatusCode);
  };
}
