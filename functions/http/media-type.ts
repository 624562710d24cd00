import { parse } from "content-type";
import type { HonoRequest } from "hono";

export interface MediaType {
  /** In lower case, without parameters. Empty when the request has no `Content-Type`. */
  type: string;
  /** By their names in lower case. */
  parameters: Readonly<Record<string, string | undefined>>;
}

/** The request's `Content-Type` (RFC 9110, section 8.3.1). */
export function mediaTypeOf(request: HonoRequest): MediaType {
  return parse(request.header("content-type") ?? "");
}
