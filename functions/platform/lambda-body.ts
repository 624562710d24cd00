import type { LambdaEvent } from "hono/aws-lambda";

/**
 * Whether bytes of the body were lost before the function got it. AWS hands over JSON, CSV and other text as a string.
 * Each byte that is not UTF-8 becomes U+FFFD there, which takes three bytes, so that the length changes. If the client
 * itself sent U+FFFD, the length stays the same.
 */
export function hasLostBytes(event: LambdaEvent): boolean {
  if (!event.body || event.isBase64Encoded || !event.body.includes("\uFFFD")) return false;
  // An event of a load balancer has one of the two.
  const { headers, multiValueHeaders } = event as EventHeaders;
  const [, length] =
    Object.entries({ ...multiValueHeaders, ...headers }).find(
      ([name]) => name.toLowerCase() === "content-length",
    ) ?? [];
  return length === undefined || Number(length) !== Buffer.byteLength(event.body);
}

interface EventHeaders {
  headers?: Record<string, string | undefined> | null;
  multiValueHeaders?: Record<string, string[] | undefined> | null;
}
