import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { AnsweredElsewhere } from "../call.ts";
import { NearcastError } from "../errors.ts";
import type { Resolved } from "../model/registry.ts";
import type { Platform } from "../platform/types.ts";
import { createKeptAnswers } from "../spillover/kept-answers.ts";
import {
  clientGone,
  hasBody,
  loopDetected,
  unavailable,
  type Region,
  type RegionAnswer,
  type RegionRequest,
} from "../spillover/region.ts";
import { writeTrace } from "../observe/trace.ts";
import { readAtMost, TooManyBytes } from "../read-at-most.ts";
import { answer } from "./answer.ts";
import { askedOf, nameAssignment, pathOf, type AppEnv, type Forwarded } from "./exchange.ts";
import { identify } from "./identify.ts";
import { requestFields } from "./request-fields.ts";

/** Says that the region answered, or a smaller version in its place. */
export const SPILLOVER = "X-Nearcast-Spillover";

/** Fields that are the edge's own matter: who may ask, pages, copies, and how the answer is coded. */
const NOT_FORWARDED =
  /^(accept-encoding|access-control-.*|if-.*|range|x-amzn-trace-id|x-nearcast-.*)$/;

/** Fields of one connection, those that each answer has, and those that the edge sets itself. */
const NOT_ANSWERED =
  /^(access-control-.*|alt-svc|cache-control|cache-status|cf-.*|connection|content-encoding|content-security-policy|date|keep-alive|proxy-.*|ratelimit.*|server|server-timing|set-cookie|strict-transport-security|te|trailer|traceparent|transfer-encoding|upgrade|via|x-amz.*|x-content-type-options|x-deployment-id|x-model-(name|version|digest|assignment)|x-nearcast-.*|x-request-id)$/;

/**
 * Forwards a request to the region as it came, once its version is known to be too large for this deployment. Keeps
 * the answers of models whose answers are kept.
 */
export function createElsewhere(
  region: Region,
  platform: Pick<Platform, "answersWhole" | "config" | "predictionCache">,
) {
  const kept = createKeptAnswers(platform);
  const { answerBytes } = platform.config.limits;
  const { ttlSeconds: usualTtl } = platform.config.predictionCache;

  return async function elsewhere(
    c: Context<AppEnv>,
    version: Resolved,
  ): Promise<AnsweredElsewhere> {
    const exchange = c.get("exchange");
    if (exchange.spilled) throw loopDetected();
    const request = requestOf(c, version);
    const { cache: own, lookup } = version.manifest;
    // What is looked up may be another value by then.
    const ttlSeconds = lookup ? 0 : (own?.ttlSeconds ?? usualTtl);
    const { cache: directive } = askedOf(c);
    const cache = ttlSeconds === 0 ? undefined : directive ? "bypass" : "miss";
    const key = cache && directive !== "no-store" ? await kept.keyOf(request) : undefined;
    const old = key && !directive ? await kept.get(key) : undefined;
    if (old) {
      exchange.forwarded = { status: 200, version, ...old };
      return new AnsweredElsewhere(undefined, "hit");
    }
    const found = await region.ask(request);
    const { code, status } = found;
    exchange.forwarded = { status, version, ...partsOf(found) };
    const keeps = kept.takes(found);
    const isKept = key !== undefined && keeps;
    if (found.body && (isKept || platform.answersWhole)) {
      // What is kept has said how long it is.
      const most = platform.answersWhole ? answerBytes : Infinity;
      const whole = { ...exchange.forwarded, body: await wholeOf(found.body, request, most) };
      exchange.forwarded = whole;
      if (isKept) await kept.put(key, whole, { requestId: request.id, ttlSeconds });
    }
    const failure = code && new NearcastError(code, `The region answered ${status}.`);
    if (failure) exchange.error = failure;
    return new AnsweredElsewhere(failure, cache && status === 200 && !keeps ? "bypass" : cache);
  };
}

/** Passes the region's answer on, with the header fields of this deployment. */
export function answerForwarded(c: Context<AppEnv>, { failure }: AnsweredElsewhere): Response {
  const exchange = c.get("exchange");
  const { status, headers, body, version } = exchange.forwarded as Forwarded;
  if (failure) nameAssignment(exchange);
  else identify(c, version.manifest, exchange.record);
  exchange.headers[SPILLOVER] = "region";
  for (const name of Object.keys(exchange.headers))
    if (name.toLowerCase() in headers) delete exchange.headers[name];
  return answer(c, body, headers, status as ContentfulStatusCode);
}

function requestOf(c: Context<AppEnv>, { manifest, reason }: Resolved): RegionRequest {
  const { id, caller, deadline, body = new Uint8Array() } = c.get("exchange");
  const { method } = c.req;
  if (!hasBody(method) && body.byteLength > 0)
    throw new NearcastError(
      "malformed_request",
      `The model is too large for this deployment, and a ${method} with a body cannot be forwarded.`,
    );
  return {
    id,
    method,
    path: pathOf(c),
    search: new URL(c.req.url).search,
    headers: fieldsOf(c),
    body,
    spilled: {
      caller: caller.name,
      model: manifest.name,
      version: manifest.version,
      digest: manifest.artifact.sha256,
      reason,
    },
    deadline,
    signal: c.req.raw.signal,
  };
}

function fieldsOf(c: Context<AppEnv>): Record<string, string> {
  const named = new Set((c.req.header("connection") ?? "").toLowerCase().split(/\s*,\s*/));
  const fields = Object.entries(requestFields(c)).filter(
    ([name]) => !NOT_FORWARDED.test(name) && !named.has(name),
  );
  const { trace } = c.get("exchange");
  return { ...Object.fromEntries(fields), ...(trace && { traceparent: writeTrace(trace) }) };
}

/** The body as it arrives, and the fields that the client gets. */
function partsOf({ headers, body }: RegionAnswer): Pick<Forwarded, "headers" | "body"> {
  const fields = Object.fromEntries([...headers].filter(([name]) => !NOT_ANSWERED.test(name)));
  // A runtime that has decoded the body leaves its length as it was.
  if (headers.has("content-encoding")) delete fields["content-length"];
  return { headers: fields, body };
}

/** The signal that ends a body at the deadline comes up to two milliseconds too soon: timers count whole ones. */
const EARLY_MS = 2;

async function wholeOf(
  body: NonNullable<RegionAnswer["body"]>,
  { deadline, signal }: RegionRequest,
  most: number,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readAtMost(body, most, "The region's answer");
  } catch (error) {
    if (error instanceof TooManyBytes) throw tooLong(most);
    if (signal?.aborted) throw clientGone();
    deadline.check(EARLY_MS);
    throw unavailable("Its answer did not arrive whole.");
  }
}

function tooLong(most: number): NearcastError {
  return new NearcastError(
    "answer_too_large",
    `The region's answer has more bytes than the ${most} that are sent from here (MAX_ANSWER_BYTES). Ask for fewer rows at once, fewer outputs or a smaller top_k.`,
  );
}
