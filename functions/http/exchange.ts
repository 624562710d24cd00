import type { Context } from "hono";
import { basePath } from "hono/route";
import { requireScope } from "../auth/access.ts";
import type { Caller } from "../auth/caller.ts";
import type { AnsweredElsewhere, CallOptions, CallRecord, Decided } from "../call.ts";
import { NearcastError } from "../errors.ts";
import type { CreateAnswer, Platform } from "../platform/types.ts";
import type { Quota } from "../limits/quota.ts";
import type { Deadline } from "../load/deadline.ts";
import type { Trace } from "../observe/trace.ts";
import type { TransferTurns } from "../load/transfer-turns.ts";
import type { Assignment } from "../model/assignment.ts";
import type { Resolved } from "../model/registry.ts";
import type { Spilled } from "../spillover/token.ts";
import type { JobRun } from "./job-run.ts";
import { readPreferred, refuseWebhook, type Preferred } from "./prefer.ts";

/** One HTTP request and its answer. Each member that changes is written in only one place. */
export interface Exchange {
  /** The client's own id of the request, or a new one. */
  readonly id: string;
  readonly deadline: Deadline;
  /** The header fields of the answer, without its `Content-Type`. */
  readonly headers: Record<string, string>;
  /** Makes the answer from its parts. A plain `Response` when absent. */
  readonly createAnswer?: CreateAnswer | undefined;
  /** Sends fields after the answer's body, as gRPC needs. Absent where that is not possible. */
  readonly sendTrailers?: ((fields: Record<string, string>) => void) | undefined;
  /** See the platform's. */
  readonly whenSent?: Platform["whenSent"];
  /** Whether calls may be answered later. */
  readonly takesJobs: boolean;
  /** Reads a body without its `Request`. Absent where it must be read from there. */
  readonly readConnection?: Platform["readConnection"];
  /** Absent where the client sent no `traceparent`. */
  readonly trace?: Trace | undefined;
  /** Whether handlers of an outer app came first. They may have set header fields. */
  readonly wrapped: boolean;
  /** `X-Request-Timeout-Ms` as it was sent. */
  readonly timeout: string | undefined;
  /** The position of one of Nearcast's handlers among the handlers that matched. */
  readonly routeIndex: number;
  /** The most bytes that an answer of a model may have. */
  readonly maxAnswerBytes?: number;
  /** Turns to read the body and to write the answer. Absent where there are none. */
  readonly transfer?: TransferTurns | undefined;
  /** Bytes of the body by its header. Null where it declares none. body.ts writes it when it is asked first. */
  declaredLength?: number | null;
  /** The job that this request runs. Absent for a client's request. */
  readonly job?: JobRun | undefined;
  /** What an edge decided about this request before it forwarded it. `acceptSpilled` writes it. */
  spilled?: Spilled;
  /** Has a call answered by the region. Absent where none is configured. */
  readonly elsewhere?:
    | ((c: Context<AppEnv>, version: Resolved) => Promise<AnsweredElsewhere>)
    | undefined;
  /** The region's answer. spill.ts writes it. */
  forwarded?: Forwarded;
  /** How the client wants a job instead of an answer. {@link callOf} writes it. */
  preferred?: Preferred | undefined;
  /** Has a client that waits for its job answered without the job's answer. jobs.ts writes it. */
  endWait?: (() => void) | undefined;
  /** Written by authentication. */
  caller: Caller;
  /** What is left of the caller's rate. `limitRequests` writes it. */
  quota?: Quota;
  /** The body as it was sent. body.ts writes it: a request can be read only once. */
  body?: Uint8Array<ArrayBuffer>;
  /** The whole body has arrived. body.ts writes it. */
  received?: NonNullable<CallOptions["received"]>;
  /** The version that answers, once it is known. {@link callOf} writes it. */
  assignment?: Assignment;
  /** The record of the model's call, if there was one. {@link callOf} writes it. */
  record?: CallRecord | undefined;
  /** The error that was answered instead. The error handler writes it. */
  error?: NearcastError;
}

/** An answer that the region made. */
export interface Forwarded {
  status: number;
  headers: Record<string, string>;
  /** Null where the status has none, such as 204. */
  body: ReadableStream | Uint8Array<ArrayBuffer> | null;
  /** The version that it is of. */
  version: Resolved;
}

/** The types of Hono's variables. */
export interface AppEnv {
  Variables: { exchange: Exchange };
}

/** The caller. Throws `forbidden` for one who may not ask for predictions. */
export function predictorOf(c: Context<AppEnv>): Caller {
  const { caller } = c.get("exchange");
  requireScope(caller, "predict");
  return caller;
}

/** Whether the client prefers a job (RFC 7240), and this request may become one. */
function isLater(c: Context<AppEnv>): boolean {
  const exchange = c.get("exchange");
  if (exchange.takesJobs) exchange.preferred ??= readPreferred(c.req);
  if (exchange.preferred) return true;
  refuseWebhook(c.req, exchange.takesJobs);
  return false;
}

/** The options of a call that come from its request. */
export function callOf(c: Context<AppEnv>): Omit<CallOptions, "model"> {
  const { job, spilled } = c.get("exchange");
  const call = askedOf(c);
  if (spilled) return call;
  if (job) call.decided = job.decided;
  else call.later = isLater(c);
  return call;
}

/** Whether the request may be forwarded as it came: its body must not be changed. */
export function mayForward(c: Context<AppEnv>): boolean {
  return c.get("exchange").elsewhere !== undefined;
}

/** The same for a call that becomes no job, and for one whose route makes the job itself. */
export function askedOf(c: Context<AppEnv>): Omit<CallOptions, "model"> {
  const exchange = c.get("exchange");
  const { id, caller, deadline, quota, received, spilled, elsewhere, job } = exchange;
  const isFallback = job?.decided.assignment.reason === "fallback";
  return {
    id,
    caller,
    deadline,
    quota,
    received,
    key: keyOf(c.req.header("x-nearcast-key")),
    override: c.req.header("x-nearcast-version-override"),
    cache: cacheDirective(c.req.header("cache-control")),
    decided: spilled && decidedFor(spilled),
    elsewhere: elsewhere && !isFallback ? (version) => elsewhere(c, version) : undefined,
    sent: exchange.whenSent && (() => exchange.whenSent?.(c.env) ?? Promise.resolve()),
    onAssigned: (assignment) => void (exchange.assignment = assignment),
    onRecord: (record) => void ((job?.partOf ?? exchange).record = record),
  };
}

function decidedFor({ model, version, reason }: Spilled): Decided {
  return { model, assignment: { version, reason } };
}

const ASCII = /^[\x20-\x7E]*$/;

/** Throws `malformed_request` for other characters: Node reads them otherwise than Workers and Lambda do. */
function keyOf(header: string | undefined): string | undefined {
  if (header === undefined || ASCII.test(header)) return header;
  throw new NearcastError(
    "malformed_request",
    "X-Nearcast-Key must be of ASCII characters. Encode others, for example in percent.",
  );
}

/**
 * Sets the headers that say which version a call was given and why. Sets none if the path named the version, or if the
 * call ended before it was given one.
 */
export function nameAssignment({ headers, assignment }: Exchange): void {
  if (!assignment || assignment.reason === "named") return;
  headers["X-Model-Version"] = assignment.version;
  headers["X-Model-Assignment"] = assignment.reason;
}

/** The mount paths of requests that are answered a second time, without that path. */
export const mountedAt = new WeakMap<Request, string>();

/** The path at which the app is mounted, without a slash at the end. Empty if it is not mounted. */
export function baseOf(c: Context<AppEnv>): string {
  return mountedAt.get(c.req.raw) ?? routeBase(c);
}

/** The request's path below the mount point. */
export function pathOf(c: Context<AppEnv>): string {
  const { path } = c.req;
  const base = routeBase(c);
  return path.startsWith(`${base}/`) ? path.slice(base.length) : path === base ? "/" : path;
}

function routeBase(c: Context<AppEnv>): string {
  return basePath(c, c.get("exchange").routeIndex).replace(/\/+$/, "");
}

/** The directives of the request's `Cache-Control` (RFC 9111, section 5.2.1). */
function cacheDirective(header: string | undefined): CallOptions["cache"] {
  if (header === undefined) return undefined;
  const names = new Set(
    header
      .toLowerCase()
      .split(",")
      .map((directive) => directive.trim()),
  );
  return names.has("no-store") ? "no-store" : names.has("no-cache") ? "no-cache" : undefined;
}
