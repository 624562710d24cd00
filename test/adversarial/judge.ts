import type { Answer } from "./send.ts";
import type { Attack } from "./request.ts";

/**
 * What is wrong with an answer to a request that need not be a good one; undefined when nothing is. The
 * only 5xx that a client can ask for are 504, with a deadline that cannot be met, and 501, which is Connect's status for a
 * method that there is not.
 */
export function faultOf(attack: Attack, answer: Answer): string | undefined {
  const { status, body } = answer;
  if (status < 200 || status >= 600) return "is no final status";
  const isAsked = (status === 504 && hurried(attack)) || (status === 501 && attack.kind === "rpc");
  if (status >= 500 && !isAsked) return "is the server's fault";
  // There is no body to look at.
  if (attack.method === "HEAD" || status === 204) return body.length > 0 ? "has a body" : undefined;
  if (status < 400) return faultOfSuccess(attack, answer);
  if (isOfHttpServer(attack, status)) return undefined;
  return faultOfError(answer);
}

/** The refusals of an HTTP server, or of Miniflare's, for what never comes to the service. */
function isOfHttpServer({ path, headers }: Attack, status: number): boolean {
  if (status === 417) return headers.some(([name]) => name === "Expect");
  if (status === 431) return true;
  if (status === 415) return headers.some(([, value]) => /^(identity|\*);q=0$/.test(value));
  // No URI has such characters (RFC 3986, section 2).
  return status === 400 && /[^\x21-\x7e]/.test(path);
}

function hurried({ headers }: Attack): boolean {
  return headers.some(([name]) => /^(x-request|connect|grpc)-timeout(-ms)?$/i.test(name));
}

/** gRPC's statuses that say that the server has failed: UNKNOWN, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const FAILED = new Set(["2", "13", "14", "15"]);

/** gRPC-Web's status is in the body: in its last envelope, whose first byte says that it has trailers. */
function faultOfWeb(attack: Attack, body: Buffer): string | undefined {
  let at = 0;
  while (at + 5 <= body.length && body[at] !== 0x80) at += 5 + body.readUInt32BE(at + 1);
  const trailers = body.toString("latin1", at + 5);
  const [, status] = /^grpc-status: *(\d+)/m.exec(trailers) ?? [];
  if (status === undefined) return "has no status of gRPC";
  if (FAILED.has(status) || (status === "4" && !hurried(attack))) return `has status ${status}`;
  return undefined;
}

function faultOfSuccess(attack: Attack, { contentType, body }: Answer): string | undefined {
  const { path } = attack;
  if (contentType.startsWith("application/grpc-web")) return faultOfWeb(attack, body);
  if (!contentType.startsWith("application/json")) return undefined;
  const json = parsed(body);
  if (json === undefined) return "is not JSON";
  const isPrediction = typeof json === "object" && json !== null && "outputs" in json;
  // JSON.stringify writes null where a number is none.
  if (isPrediction && path.startsWith("/v1/") && /[[:,]null\b/.test(body.toString()))
    return "has null for a number";
  return undefined;
}

/** RFC 9457's members, or those of the dialects that have their own. */
function faultOfError({ status, contentType, body }: Answer): string | undefined {
  const json = parsed(body) as Record<string, unknown> | undefined;
  if (!json) return "is an error without JSON";
  if (contentType.startsWith("application/problem+json")) {
    const texts = ["type", "title", "detail", "code", "requestId"];
    if (json["status"] !== status) return "names another status in its body";
    if (!texts.every((name) => typeof json[name] === "string" && json[name] !== ""))
      return "lacks a member of a problem";
    // Where OpenAI's clients ask too, it is an object as theirs.
    const { error } = json as { error?: string | { message: string } | null };
    const said = typeof error === "object" ? error?.message : error;
    if (typeof said !== "string" || said === "") return "lacks a member of a problem";
  } else {
    // text-embeddings-inference has a text as `error`, and Jina's API one as `detail`.
    const error = json["error"] ?? json["detail"] ?? json;
    const message =
      typeof error === "string" ? error : (error as Record<string, unknown>)["message"];
    if (typeof message !== "string" || message === "") return "has no message";
  }
  if (/\bat \S+ \(|node_modules|\/functions\//.test(body.toString())) return "shows its stack";
  return undefined;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/**
 * What is wrong with the answers on a raw connection. Those that are no problem of the service's are the
 * HTTP server's own truth about the bytes: workerd says 500 to a host that is none.
 */
export function faultOfRaw(answers: string): string | undefined {
  return /"status":5\d\d/.exec(answers)?.[0];
}
