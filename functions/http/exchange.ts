import type { HonoRequest } from "hono";
import type { Caller } from "../auth/access.ts";
import type { Deadline } from "../load/deadline.ts";
import type { NearcastError } from "../errors.ts";
import type { Quota } from "../limits/quota.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Phases } from "../observe/phases.ts";

/** What is known of one request besides HTTP; the middleware and the predict path fill it in. */
export interface RequestContext {
  phases: Phases;
  caller: Caller;
  deadline: Deadline;
  /** What is wrong with the header fields; said once it is known who asks. */
  malformed?: string;
  /** Length of the body, decompressed; as declared until it was read. */
  bodyBytes?: number;
  /** Whether the whole body is here. */
  bodyArrived?: boolean;
  /** The version that the request was resolved to. */
  manifest?: Manifest;
  /** The request itself, where there is one. */
  request?: Pick<HonoRequest, "header">;
  /** What the caller's rate has left; absent where there is none. */
  quota?: Quota;
  /** Whether the answer was kept from an earlier request; absent for models whose answers are not kept. */
  cache?: CacheOutcome;
  /** Why the request was refused, or failed. */
  error?: NearcastError;
  /** What the access log says of the inputs, where the manifest has them logged. */
  loggedInputs?: unknown;
}

/** `collapsed`: another request was computing the same. `bypass`: the request's `Cache-Control` forbade looking. */
export type CacheOutcome = "hit" | "miss" | "collapsed" | "bypass";

/** The types of Hono's variables. */
export interface AppEnv {
  Variables: {
    /** The client's own, or one made for the request. */
    requestId: string;
    /** The header fields that the answer will have besides its `Content-Type`, whatever it will be. */
    headers: Record<string, string>;
    context: RequestContext;
  };
}
