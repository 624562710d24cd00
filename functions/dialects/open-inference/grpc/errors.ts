import { Code, ConnectError } from "@connectrpc/connect";
import { codeToHttpStatus, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { ErrorCode, InputIssue, NearcastError } from "../../../errors.ts";
import { answer } from "../../../http/answer.ts";
import type { AppEnv } from "../../../http/exchange.ts";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "./error_details_pb.ts";
import { answerWithStatus, protocolOf } from "./protocol.ts";

const CODES: Record<ErrorCode, Code> = {
  malformed_request: Code.InvalidArgument,
  malformed_json: Code.InvalidArgument,
  unauthorized: Code.Unauthenticated,
  forbidden: Code.PermissionDenied,
  // A path that is no method.
  not_found: Code.Unimplemented,
  unknown_model: Code.NotFound,
  unknown_version: Code.NotFound,
  method_not_allowed: Code.Unimplemented,
  not_acceptable: Code.InvalidArgument,
  conflict: Code.Aborted,
  request_timeout: Code.Unavailable,
  body_too_large: Code.ResourceExhausted,
  // A compression that the server does not have (gRPC's specification of compression).
  unsupported_media_type: Code.Unimplemented,
  range_not_satisfiable: Code.OutOfRange,
  invalid_input: Code.InvalidArgument,
  rate_limited: Code.ResourceExhausted,
  client_closed_request: Code.Canceled,
  internal: Code.Internal,
  model_corrupt: Code.DataLoss,
  model_untrusted: Code.FailedPrecondition,
  features_invalid: Code.FailedPrecondition,
  features_unavailable: Code.Unavailable,
  features_late: Code.DeadlineExceeded,
  authentication_not_configured: Code.Unavailable,
  authentication_unavailable: Code.Unavailable,
  overloaded: Code.Unavailable,
  region_unavailable: Code.Unavailable,
  runtime_failed: Code.Unavailable,
  shutting_down: Code.Unavailable,
  store_unavailable: Code.Unavailable,
  deadline_exceeded: Code.DeadlineExceeded,
  answer_too_large: Code.ResourceExhausted,
  out_of_memory: Code.ResourceExhausted,
  model_too_large: Code.ResourceExhausted,
  loop_detected: Code.FailedPrecondition,
};

/** Clients take 8 KiB of header fields. A character takes up to nine bytes in one, and the details have it again. */
const MOST_TEXT = 400;

/**
 * Answers an error in the protocol that the request has. The details have the stable code (`ErrorInfo`), when to try again
 * (`RetryInfo`) and what is wrong with the input (`BadRequest`).
 */
export function answerError(c: Context<AppEnv>, error: NearcastError): Response {
  const shown = toConnectError(error, c.get("exchange").id);
  const protocol = protocolOf(c);
  Object.assign(c.get("exchange").headers, error.headers);
  if (protocol && protocol.name !== "connect") return answerWithStatus(c, protocol, [], shown);
  const status = error.code === "unsupported_media_type" ? 415 : codeToHttpStatus(shown.code);
  const json = new TextDecoder().decode(errorToJsonBytes(shown, undefined));
  const headers = { "Content-Type": "application/json" };
  return answer(c, json, headers, status as ContentfulStatusCode);
}

function toConnectError({ code, message, headers, issues }: NearcastError, id: string) {
  const retryAfter = headers["Retry-After"];
  return new ConnectError(cut(message), CODES[code], undefined, [
    {
      desc: ErrorInfoSchema,
      value: { reason: code.toUpperCase(), domain: "nearcast", metadata: { request_id: id } },
    },
    ...(retryAfter === undefined
      ? []
      : [
          {
            desc: RetryInfoSchema,
            value: { retryDelay: { seconds: BigInt(Math.ceil(Number(retryAfter))) } },
          },
        ]),
    ...(issues ? [{ desc: BadRequestSchema, value: violationsOf(issues) }] : []),
  ]);
}

/** The first ones, as far as there is room. */
function violationsOf(issues: readonly InputIssue[]) {
  let length = 0;
  const shown = issues.filter(
    ({ path, message }) => (length += path.length + message.length) <= 2 * MOST_TEXT,
  );
  return {
    fieldViolations: shown.map(({ path, message }) => ({ field: path, description: message })),
  };
}

/** Well-formed, since header fields have it in percent-encoding. */
function cut(text: string): string {
  const short = text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text;
  return short.toWellFormed();
}
