import type { HonoRequest } from "hono";
import { invalidInput, NearcastError } from "../errors.ts";
import { readWebhookFields, WEBHOOK, type NamedWebhook } from "./webhook.ts";

/** How a client wants a job. */
export interface Preferred {
  /** The id that the client chose. */
  id?: string | undefined;
  /** For how many seconds to wait for the answer before the job is answered. */
  waitSeconds: number;
  /** Who is told of the job's end. */
  webhook?: NamedWebhook | undefined;
}

const JOB_ID = /^[\w.~-]{1,128}$/;

/**
 * What `Prefer: respond-async, wait=10` and `Idempotency-Key` ask for. Undefined without `respond-async`. Throws
 * `malformed_request` for a key that cannot be an id, and `invalid_input` for a webhook that is none.
 */
export function readPreferred(request: HonoRequest): Preferred | undefined {
  const preferences = request.header("prefer");
  if (preferences === undefined) return undefined;
  const named = new Map(
    preferences.split(/[,;]/).map((part): [string, string] => {
      const [name = "", value = ""] = part.split("=");
      return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, "$1")];
    }),
  );
  if (!named.has("respond-async")) return undefined;
  const key = request.header("idempotency-key")?.trim();
  return {
    ...(key !== undefined && { id: checkJobId(key.replace(/^"(.*)"$/, "$1"), "Idempotency-Key") }),
    waitSeconds: Math.max(0, Number(named.get("wait")) || 0),
    webhook: readWebhookFields(request),
  };
}

/** Throws `invalid_input` for a webhook of a call that is answered now. To ignore it would lose an answer. */
export function refuseWebhook(request: HonoRequest, takesJobs: boolean): void {
  if (request.header("x-nearcast-webhook") === undefined) return;
  const message = takesJobs
    ? "needs Prefer: respond-async"
    : "is not possible: this deployment answers every call at once";
  throw invalidInput([{ path: WEBHOOK, message }]);
}

/** Gives the id. Throws `malformed_request` where it cannot be one. */
export function checkJobId(id: string, what: string): string {
  if (JOB_ID.test(id)) return id;
  throw new NearcastError(
    "malformed_request",
    `${what} must have 1 to 128 letters, digits and -._~.`,
  );
}
