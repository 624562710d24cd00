import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { listXml } from "../../cli/local/s3-protocol.ts";
import { decodePutBody } from "../../cli/local/s3-put-body.ts";
import type { WorkerHarness } from "./worker.ts";

export interface S3OverR2 {
  readonly endpoint: string;
  /** How long each write waits before it reaches the bucket. */
  slowMs: number;
  /** The statuses of the writes so far. */
  readonly puts: number[];
  stop: () => Promise<void>;
}

/** R2's S3 API over a Worker's bucket, whatever its name: reads, lists of one page, and conditional writes of single objects. */
export async function startS3OverR2(worker: Pick<WorkerHarness, "bucket">): Promise<S3OverR2> {
  const started: S3OverR2 = { endpoint: "", slowMs: 0, puts: [], stop: () => close(server) };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(started, { endpoint: `http://127.0.0.1:${port}` });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://s3");
    const key = decodeURIComponent(pathname.replace(/^\/[^/]+\/?/, ""));
    const bucket = await worker.bucket();
    const missing = () => response.writeHead(404).end("<Error><Code>NoSuchKey</Code></Error>");
    if (key === "") {
      const { objects } = await bucket.list({ prefix: searchParams.get("prefix") ?? "" });
      const modified = new Date(0);
      const listed = objects.map((one) => ({
        key: one.key,
        size: one.size,
        etag: one.httpEtag,
        modified,
      }));
      return void response.end(listXml("models", listed, searchParams));
    }
    if (request.method === "HEAD") {
      const found = await bucket.head(key);
      if (!found) return void response.writeHead(404).end();
      const headers = { etag: found.httpEtag, "content-length": found.size };
      return void response.writeHead(200, headers).end();
    }
    if (request.method === "GET") {
      const found = await bucket.get(key);
      if (!found) return void missing();
      const bytes = Buffer.from(await found.arrayBuffer());
      return void response.writeHead(200, { etag: found.httpEtag }).end(bytes);
    }
    const { "if-match": only, "if-none-match": none } = request.headers;
    if (request.method !== "PUT") return void response.writeHead(501).end();
    const { bytes } = decodePutBody(request.headers, await buffer(request));
    await sleep(started.slowMs);
    const onlyIf = {
      ...(only && { etagMatches: only.replaceAll('"', "") }),
      ...(none && { etagDoesNotMatch: none }),
    };
    const written = await bucket.put(key, bytes, { onlyIf });
    const status = written ? 200 : 412;
    started.puts.push(status);
    response.writeHead(status, written ? { etag: written.httpEtag } : {}).end();
  }
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
