import { parse } from "content-type";
import type { HonoRequest } from "hono";

export interface MediaType {
  /** In lower case, without parameters. Empty when the request has no `Content-Type`. */
  type: string;
  /** By their names in lower case. */
  parameters: Readonly<Record<string, string | undefined>>;
}

const JSON_TYPE = "application/json";
/** What nearly all requests have. Parsing it takes as long as reading their bodies. */
const PLAIN_JSON: MediaType = { type: JSON_TYPE, parameters: {} };

/** The request's `Content-Type` (RFC 9110, section 8.3.1). */
export function mediaTypeOf(request: HonoRequest): MediaType {
  const header = request.header("content-type") ?? "";
  return header === JSON_TYPE ? PLAIN_JSON : parse(header);
}

/** Whether a media type is JSON's, or one that is written as JSON (RFC 6839). */
export function isJson(type: string): boolean {
  return type === JSON_TYPE || type.endsWith("+json");
}
