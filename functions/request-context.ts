import type { RequestIdVariables } from "hono/request-id";
import type { Caller } from "./access.ts";
import type { Manifest } from "./model/manifest.ts";
import type { Phases } from "./phases.ts";

/** What is known of one request besides HTTP; the middleware and the predict path fill it in. */
export interface RequestContext {
  phases: Phases;
  caller: Caller;
  /** The version that the request was resolved to. */
  manifest?: Manifest;
}

/** The types of Hono's variables. */
export interface AppEnv {
  Variables: RequestIdVariables & { context: RequestContext };
}
