import { createHash, randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { etagMatches, listXml, type Reply, S3Failure } from "./s3-protocol.ts";
import { decodePutBody } from "./s3-put-body.ts";

export interface StoredObject {
  bytes: Buffer;
  etag: string;
  modified: Date;
  headers: Record<string, string>;
}

export type Objects = Map<string, StoredObject>;

export function read(
  objects: Objects,
  request: IncomingMessage,
  key: string,
  damage?: "garbage" | "truncate",
): Reply {
  const object = objects.get(key);
  if (object === undefined) throw new S3Failure(404, "NoSuchKey");
  const { "if-none-match": unless, "if-match": only, range } = request.headers;
  if (only !== undefined && !etagMatches(only, object.etag))
    throw new S3Failure(412, "PreconditionFailed");
  if (unless !== undefined && etagMatches(unless, object.etag) && damage === undefined) {
    return { status: 304, headers: { etag: object.etag } };
  }
  let bytes = object.bytes;
  if (damage === "garbage") bytes = randomBytes(bytes.length);
  if (damage === "truncate") bytes = bytes.subarray(0, bytes.length >> 1);
  const headers: Record<string, string> = {
    etag: damage === undefined ? object.etag : etagOf(bytes),
    "last-modified": object.modified.toUTCString(),
    "accept-ranges": "bytes",
    "content-type": "binary/octet-stream",
  };
  if (range !== undefined) return readRange(bytes, range, headers);
  // No checksum for a damaged object: the SDK would find the damage, and the application must.
  if (damage === undefined && request.headers["x-amz-checksum-mode"] === "ENABLED")
    Object.assign(headers, object.headers);
  headers["content-length"] = String(bytes.length);
  return { status: 200, headers, ...(request.method === "GET" && { body: bytes }) };
}

function readRange(bytes: Buffer, range: string, headers: Record<string, string>): Reply {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  const start = first === "" ? Math.max(0, bytes.length - Number(last)) : Number(first);
  const end = first === "" || last === "" ? bytes.length : Math.min(bytes.length, Number(last) + 1);
  if (start >= end) throw new S3Failure(416, "InvalidRange");
  const body = bytes.subarray(start, end);
  const partial = {
    "content-range": `bytes ${start}-${end - 1}/${bytes.length}`,
    "content-length": String(body.length),
  };
  return { status: 206, headers: { ...headers, ...partial }, body };
}

export function put(objects: Objects, request: IncomingMessage, key: string, body: Buffer): Reply {
  const { bytes, checksums } = decodePutBody(request.headers, body);
  const existing = objects.get(key);
  const { "if-none-match": unless, "if-match": only } = request.headers;
  if (unless !== undefined && unless !== "*") throw new S3Failure(501, "NotImplemented");
  if (unless === "*" && existing !== undefined) throw new S3Failure(412, "PreconditionFailed");
  if (only !== undefined && existing === undefined) throw new S3Failure(404, "NoSuchKey");
  if (only !== undefined && existing?.etag !== only && existing?.etag !== `"${only}"`) {
    throw new S3Failure(412, "PreconditionFailed");
  }
  return {
    status: 200,
    headers: { etag: store(objects, key, bytes, checksums).etag, ...checksums },
  };
}

export function store(
  objects: Objects,
  key: string,
  bytes: Buffer,
  headers: Record<string, string>,
): StoredObject {
  const object = { bytes, etag: etagOf(bytes), modified: new Date(), headers };
  objects.set(key, object);
  return object;
}

export function list(objects: Objects, bucket: string, query: URLSearchParams): Reply {
  if (query.get("list-type") !== "2") throw new S3Failure(501, "NotImplemented");
  const entries = [...objects].map(([key, { bytes, etag, modified }]) => ({
    key,
    size: bytes.length,
    etag,
    modified,
  }));
  return {
    status: 200,
    headers: { "content-type": "application/xml" },
    body: listXml(bucket, entries, query),
  };
}

function etagOf(bytes: Uint8Array): string {
  return `"${createHash("md5").update(bytes).digest("hex")}"`;
}
