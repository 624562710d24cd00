import type { LambdaEvent } from "hono/aws-lambda";

/**
 * Whether bytes of the body were lost before the function got it. AWS hands over the body of JSON, CSV and other
 * text as a string: each byte that is not UTF-8 is a U+FFFD in it, which has three. A body that the client wrote
 * with U+FFFD keeps its length.
 */
export function hasLostBytes(event: LambdaEvent): boolean {
  if (!event.body || event.isBase64Encoded || !event.body.includes("\uFFFD")) return false;
  // Load balancers have one of the two.
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
