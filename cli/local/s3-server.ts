import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { multipart, type Uploads } from "./s3-multipart.ts";
import { list, type Objects, put, read, store } from "./s3-objects.ts";
import { type Reply, S3Failure, xml } from "./s3-protocol.ts";

/**
 * `down` destroys the socket. `unavailable` answers 503. `refuse` closes the port. `stall` accepts and never answers. `slow` answers after half a
 * second, or `slowMs`. `slow-body` stops half way through an object. `garbage` and `truncate` serve a damaged object that looks
 * healthy.
 */
export type S3Behaviour =
  | "ok"
  | "down"
  | "refuse"
  | "stall"
  | "slow"
  | "slow-body"
  | "error-500"
  | "unavailable"
  | "forbidden"
  | "garbage"
  | "truncate";

/** `status` is 0 when no answer was sent. The key of a listing is ''. */
export interface S3Request {
  method: string;
  bucket: string;
  key: string;
  status: number;
}

export interface S3Server {
  readonly endpoint: string;
  readonly requests: S3Request[];
  behaviour: S3Behaviour;
  /** How long `slow` takes. */
  slowMs: number;
  /** Overrides `behaviour` for one key and method. `refuse` is not possible: it closes the port for all. */
  behaviourFor:
    | ((key: string, method: string) => Exclude<S3Behaviour, "refuse"> | undefined)
    | undefined;
  put: (bucket: string, key: string, bytes: Uint8Array | string) => string;
  get: (bucket: string, key: string) => Buffer | undefined;
  keys: (bucket: string) => string[];
  close: () => Promise<void>;
}

type Buckets = Map<string, Objects>;

interface Arrived {
  entry: S3Request;
  url: URL;
  request: IncomingMessage;
  body: Buffer;
  behaviour: S3Behaviour;
}

/** Starts an S3 in memory, over HTTP on loopback, for `@aws-sdk/client-s3` with `forcePathStyle`. */
export async function startS3(options: {
  buckets: string[];
  /** Where it says that its buckets are. */
  region?: string;
}): Promise<S3Server> {
  const buckets: Buckets = new Map(options.buckets.map((name) => [name, new Map()]));
  const requests: S3Request[] = [];
  const uploads: Uploads = new Map();
  let behaviour: S3Behaviour = "ok";
  let server = createServer(handle);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;

  const s3: S3Server = {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    behaviourFor: undefined,
    slowMs: 500,
    get behaviour() {
      return behaviour;
    },
    set behaviour(next) {
      if (next === "refuse") void shut(server);
      else if (behaviour === "refuse") server = createServer(handle).listen(port, "127.0.0.1");
      behaviour = next;
    },
    put: (bucket, key, bytes) =>
      store(objectsOf(buckets, bucket), key, Buffer.from(bytes), {}).etag,
    get: (bucket, key) => objectsOf(buckets, bucket).get(key)?.bytes,
    keys: (bucket) => [...objectsOf(buckets, bucket).keys()].sort(),
    close: () => shut(server),
  };
  return s3;

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://s3");
    const [bucket = "", ...path] = url.pathname.slice(1).split("/").map(decodeURIComponent);
    const entry: S3Request = {
      method: request.method ?? "",
      bucket,
      key: path.join("/"),
      status: 0,
    };
    requests.push(entry);
    const current = s3.behaviourFor?.(entry.key, entry.method) ?? behaviour;
    if (current === "down" || current === "refuse") return void request.socket.destroy();
    if (current === "stall") return void request.resume();
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      if (current === "slow") await sleep(s3.slowMs);
      const body = Buffer.concat(chunks);
      const reply = answer(buckets, uploads, { entry, url, request, body, behaviour: current });
      entry.status = reply.status;
      response.writeHead(reply.status, {
        "x-amz-request-id": String(requests.length),
        ...(options.region !== undefined && { "x-amz-bucket-region": options.region }),
        ...reply.headers,
      });
      if (current === "slow-body" && reply.body !== undefined && isObjectRead(entry)) {
        response.write(reply.body.subarray(0, reply.body.length >> 1));
      } else {
        response.end(reply.body);
      }
    });
  }
}

function answer(
  buckets: Buckets,
  uploads: Uploads,
  { entry, url, request, body, behaviour }: Arrived,
): Reply {
  try {
    if (behaviour === "error-500") throw new S3Failure(500, "InternalError");
    if (behaviour === "unavailable") throw new S3Failure(503, "SlowDown");
    if (behaviour === "forbidden") throw new S3Failure(403, "AccessDenied");
    const objects = buckets.get(entry.bucket);
    if (objects === undefined) throw new S3Failure(404, "NoSuchBucket");
    if (entry.key === "" && entry.method === "HEAD") return { status: 200, headers: {} };
    if (entry.key === "" && entry.method === "GET") {
      return behaviour === "garbage"
        ? { status: 200, body: randomBytes(256) }
        : list(objects, entry.bucket, url.searchParams);
    }
    // Nothing below awaits: the check of a conditional write and the write are one step.
    if (isObjectRead(entry)) {
      const damage = behaviour === "garbage" || behaviour === "truncate" ? behaviour : undefined;
      return read(objects, request, entry.key, damage);
    }
    const asked = { method: entry.method, key: entry.key, query: url.searchParams, request, body };
    const inParts = multipart(objects, uploads, asked);
    if (inParts) return inParts;
    if (entry.method === "PUT" && /^(\?x-id=PutObject)?$/.test(url.search)) {
      return put(objects, request, entry.key, body);
    }
    if (entry.method === "DELETE") {
      objects.delete(entry.key);
      return { status: 204 };
    }
    throw new S3Failure(501, "NotImplemented");
  } catch (error) {
    const failure =
      error instanceof S3Failure ? error : new S3Failure(500, `InternalError: ${String(error)}`);
    const headers = { "content-type": "application/xml" };
    if (entry.method === "HEAD") return { status: failure.status, headers };
    return {
      status: failure.status,
      headers,
      body: xml("Error", { Code: failure.code, Message: failure.code, Key: entry.key }),
    };
  }
}

function isObjectRead(entry: S3Request): boolean {
  return entry.key !== "" && (entry.method === "GET" || entry.method === "HEAD");
}

function objectsOf(buckets: Buckets, bucket: string): Objects {
  const objects = buckets.get(bucket);
  if (objects === undefined) throw new Error(`The stand-in has no bucket ${bucket}`);
  return objects;
}

function shut(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
