import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { AnsweredElsewhere } from "../call.ts";
import { NearcastError } from "../errors.ts";
import type { Resolved } from "../model/registry.ts";
import { loopDetected, type Region } from "../spillover/region.ts";
import { answer } from "./answer.ts";
import { nameAssignment, pathOf, type AppEnv } from "./exchange.ts";
import { identify } from "./identify.ts";
import { requestFields } from "./request-fields.ts";

/** Says that the region answered. */
const SPILLOVER = "X-Nearcast-Spillover";

/** Fields that are the edge's own matter: who may ask, pages, copies, and how the answer is coded. */
const NOT_FORWARDED =
  /^(accept-encoding|access-control-.*|if-.*|range|x-amzn-trace-id|x-nearcast-.*)$/;

/** Fields of one connection, those that each answer has, and those that the edge sets itself. */
const NOT_ANSWERED =
  /^(access-control-.*|alt-svc|cache-control|cf-.*|connection|content-encoding|content-security-policy|date|keep-alive|proxy-.*|ratelimit.*|server|server-timing|set-cookie|strict-transport-security|te|trailer|traceparent|transfer-encoding|upgrade|via|x-amz.*|x-content-type-options|x-model-(name|version|digest|assignment)|x-nearcast-.*|x-request-id)$/;

/** Forwards a request to the region as it came, once its version is known to be too large for this deployment. */
export function createElsewhere(region: Region) {
  return async function elsewhere(c: Context<AppEnv>, version: Resolved): Promise<never> {
    const exchange = c.get("exchange");
    if (exchange.spilled) throw loopDetected();
    const { manifest, reason } = version;
    const { response, code } = await region.ask({
      id: exchange.id,
      method: c.req.method,
      path: pathOf(c),
      search: new URL(c.req.url).search,
      headers: forwarded(c),
      body: exchange.body ?? new Uint8Array(),
      spilled: {
        caller: exchange.caller.name,
        model: manifest.name,
        version: manifest.version,
        digest: manifest.artifact.sha256,
        reason,
      },
      deadline: exchange.deadline,
      signal: c.req.raw.signal,
    });
    exchange.forwarded = { response, version };
    const failure = code && new NearcastError(code, `The region answered ${response.status}.`);
    if (failure) exchange.error = failure;
    throw new AnsweredElsewhere(failure);
  };
}

/** Passes the region's answer on, with the header fields of this deployment. */
export function answerForwarded(
  c: Context<AppEnv>,
  { failure }: AnsweredElsewhere,
): Response | Promise<Response> {
  const exchange = c.get("exchange");
  const { response, version } = exchange.forwarded!;
  const headers = Object.fromEntries(
    [...response.headers].filter(([name]) => !NOT_ANSWERED.test(name)),
  );
  // A runtime that has decoded the body leaves its length as it was.
  if (response.headers.has("content-encoding")) delete headers["content-length"];
  if (failure) nameAssignment(exchange);
  else identify(c, version.manifest, exchange.record);
  exchange.headers[SPILLOVER] = "region";
  for (const name of Object.keys(exchange.headers))
    if (name.toLowerCase() in headers) delete exchange.headers[name];
  return answer(c, response.body ?? "", headers, response.status as ContentfulStatusCode);
}

function forwarded(c: Context<AppEnv>): Record<string, string> {
  const named = new Set((c.req.header("connection") ?? "").toLowerCase().split(/\s*,\s*/));
  return Object.fromEntries(
    Object.entries(requestFields(c)).filter(
      ([name]) => !NOT_FORWARDED.test(name) && !named.has(name),
    ),
  );
}
