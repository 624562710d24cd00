import type { LambdaEvent } from "hono/aws-lambda";

/**
 * Whether bytes of the body were lost before the function got it. AWS hands over the body of JSON, CSV and other
 * text as a string: each byte that is not UTF-8 is a U+FFFD in it, which has three. A body that the client wrote
 * with U+FFFD keeps its length.
 */
export function hasLostBytes(event: LambdaEvent): boolean {
  if (!event.body || event.isBase64Encoded || !event.body.includes("\uFFFD")) return false;
  const { headers = {} } = event as { headers?: Record<string, string | undefined> };
  const name = Object.keys(headers).find((key) => key.toLowerCase() === "content-length");
  return name === undefined || Number(headers[name]) !== Buffer.byteLength(event.body);
}
