import type { APIGatewayProxyEventV2 } from "aws-lambda";
import type { Invocation } from "./lambda-invocation.ts";

/** The event that a Function URL or an HTTP API (payload format 2.0) gives to the function. */
export async function toEvent(request: Request): Promise<APIGatewayProxyEventV2> {
  const url = new URL(request.url);
  const body = Buffer.from(await request.arrayBuffer());
  const headers: Record<string, string> = {
    host: url.host,
    "x-forwarded-proto": "https",
    "x-forwarded-port": "443",
  };
  request.headers.forEach((value, name) => (headers[name] = value));
  if (request.body !== null) headers["content-length"] = String(body.length);
  const cookies = headers["cookie"]?.split("; ");
  delete headers["cookie"];
  const isBase64Encoded = body.length > 0 && !isText(headers);
  const query: Record<string, string> = {};
  for (const [name, value] of url.searchParams)
    query[name] = name in query ? `${query[name]},${value}` : value;
  const now = new Date();

  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    ...(cookies !== undefined && { cookies }),
    headers,
    ...(url.search !== "" && { queryStringParameters: query }),
    requestContext: {
      accountId: "anonymous",
      apiId: "test",
      domainName: url.host,
      domainPrefix: "test",
      http: {
        method: request.method,
        path: url.pathname,
        protocol: "HTTP/1.1",
        sourceIp: "127.0.0.1",
        userAgent: headers["user-agent"] ?? "",
      },
      requestId: crypto.randomUUID(),
      routeKey: "$default",
      stage: "$default",
      time: now.toUTCString(),
      timeEpoch: now.getTime(),
    },
    ...(body.length > 0 && { body: body.toString(isBase64Encoded ? "base64" : "utf8") }),
    isBase64Encoded,
  };
}

/** Turns the function's result into the client's answer. */
export function fromPayload({ payload, error }: Invocation, method: string): Response {
  if (error === "RequestTooLargeException")
    return Response.json({ message: "Request Too Long" }, { status: 413 });
  if (error === "Sandbox.Timedout")
    return Response.json({ message: "Endpoint request timed out" }, { status: 504 });
  if (error !== undefined) return internalError();
  // Payload 2.0: a result without a status code is the JSON body itself.
  if (!isStructured(payload)) {
    const text = typeof payload === "string" ? payload : JSON.stringify(payload);
    return new Response(text, { headers: { "content-type": "application/json" } });
  }
  const status = Number(payload.statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599) return internalError();
  if (payload.body !== undefined && payload.body !== null && typeof payload.body !== "string")
    return internalError();
  const headers = new Headers();
  for (const [name, value] of Object.entries(payload.headers ?? {}))
    headers.set(name, String(value));
  for (const cookie of payload.cookies ?? []) headers.append("set-cookie", cookie);
  if (!headers.has("content-type")) headers.set("content-type", "application/json");
  // The service sets this field itself.
  for (const name of ["content-length", "transfer-encoding", "connection"]) headers.delete(name);
  const body = Buffer.from(
    payload.body ?? "",
    payload.isBase64Encoded === true ? "base64" : "utf8",
  );
  const empty = method === "HEAD" || status === 204 || status === 205 || status === 304;
  return new Response(empty ? null : new Uint8Array(body), { status, headers });
}

interface Structured {
  statusCode: unknown;
  headers?: Record<string, unknown>;
  cookies?: string[];
  body?: unknown;
  isBase64Encoded?: boolean;
}

function isStructured(payload: unknown): payload is Structured & { body?: string | null } {
  return typeof payload === "object" && payload !== null && "statusCode" in payload;
}

function isText(headers: Record<string, string>): boolean {
  const type = headers["content-type"] ?? "";
  const encoded = (headers["content-encoding"] ?? "identity") !== "identity";
  return !encoded && /^(text\/|application\/(json|javascript|xml)\b)/i.test(type);
}

function internalError(): Response {
  return Response.json({ message: "Internal Server Error" }, { status: 502 });
}
