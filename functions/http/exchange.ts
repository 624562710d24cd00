import type { Context } from "hono";
import { basePath } from "hono/route";
import type { Caller } from "../auth/caller.ts";
import type { CallOptions, CallRecord } from "../call.ts";
import type { NearcastError } from "../errors.ts";
import type { Quota } from "../limits/quota.ts";
import type { Deadline } from "../load/deadline.ts";

/** One request and its answer, as HTTP knows them. Each member that changes is written in one place only. */
export interface Exchange {
  /** The client's own id of the request, or one made for it. */
  readonly id: string;
  readonly deadline: Deadline;
  /** The header fields that the answer will have besides its `Content-Type`, whatever it will be. */
  readonly headers: Record<string, string>;
  /** Whether handlers of an app around this one came first: they may have set header fields of their own. */
  readonly wrapped: boolean;
  /** Where among the matched handlers one of Nearcast's is. */
  readonly routeIndex: number;
  /** Written by authentication. */
  caller: Caller;
  /** What the caller's rate has left; written by `limitRequests`. */
  quota?: Quota;
  /** The whole body is here; written by body.ts. */
  received?: NonNullable<CallOptions["received"]>;
  /** What the model was asked, if one was; written by {@link callOf}. */
  record?: CallRecord;
  /** What was answered instead; written by the error handler. */
  error?: NearcastError;
}

/** The types of Hono's variables. */
export interface AppEnv {
  Variables: { exchange: Exchange };
}

/** What a call of the service says of the request that it is made for. */
export function callOf(c: Context<AppEnv>): Omit<CallOptions, "model"> {
  const exchange = c.get("exchange");
  const { id, caller, deadline, quota, received } = exchange;
  return {
    id,
    caller,
    deadline,
    quota,
    received,
    key: c.req.header("x-nearcast-key"),
    cache: cacheDirective(c.req.header("cache-control")),
    onRecord: (record) => void (exchange.record = record),
  };
}

/** Where the app is mounted, for requests that were asked again without that path. */
export const mountedAt = new WeakMap<Request, string>();

/** Where the app is mounted, without a slash at the end: empty where it is not. */
export function baseOf(c: Context<AppEnv>): string {
  return mountedAt.get(c.req.raw) ?? routeBase(c);
}

/** The path below the place where the app is mounted. */
export function pathOf(c: Context<AppEnv>): string {
  const { path } = c.req;
  const base = routeBase(c);
  return path.startsWith(`${base}/`) ? path.slice(base.length) : path === base ? "/" : path;
}

function routeBase(c: Context<AppEnv>): string {
  return basePath(c, c.get("exchange").routeIndex).replace(/\/+$/, "");
}

/** What the request's `Cache-Control` (RFC 9111, section 5.2.1) has to say. */
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
