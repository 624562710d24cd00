import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeAll, beforeEach } from "vitest";

export interface StubRequest {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: string;
  at: number;
}

export type StubAnswer = (response: ServerResponse) => unknown;

export interface StubService {
  url: string;
  /** The requests so far. */
  requests: StubRequest[];
  /** The answers to the next requests, in turn. The last one answers all that follow. */
  answers: StubAnswer[];
  stop: () => Promise<void>;
}

/** A service for the tests of a file, which begin with no requests. It has its address once a test runs. */
export function useStubService(): StubService {
  const stub = { requests: [], answers: [] } as unknown as StubService;
  beforeAll(async () => {
    await startStubService(stub);
    return stub.stop;
  });
  beforeEach(() => {
    stub.requests.length = 0;
  });
  return stub;
}

/** An HTTP server on loopback that answers what it is told to. */
export async function startStubService(
  stub: Omit<StubService, "url" | "stop"> = { requests: [], answers: [] },
): Promise<StubService> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "", url = "", headers } = request;
    const body = Buffer.concat(chunks).toString();
    stub.requests.push({ method, path: url, headers, body, at: performance.now() });
    const answer = stub.answers.length > 1 ? stub.answers.shift() : stub.answers[0];
    answer?.(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(stub, {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

/** Answers a prediction as the service does. */
export const prediction: StubAnswer = (response) =>
  json(200, { model: "iris", version: "1", outputs: { label: "setosa" } })(response);

export function json(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): StubAnswer {
  return (response) =>
    response
      .writeHead(status, { "Content-Type": "application/json", ...headers })
      .end(JSON.stringify(body));
}

/** Refuses as the service does, with `Retry-After` where it is given. */
export function refusal(status: number, code: string, retryAfter?: string): StubAnswer {
  const headers = retryAfter === undefined ? {} : { "Retry-After": retryAfter };
  return json(status, { code, status, detail: `It is ${code}.`, requestId: "id-1" }, headers);
}

/** Closes the connection without an answer. */
export const hangUp: StubAnswer = (response) => response.destroy();

/** Never answers. */
export const silence: StubAnswer = () => undefined;
