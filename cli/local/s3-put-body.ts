import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { crc32 } from "node:zlib";
import { S3Failure } from "./s3-protocol.ts";

const digests: Record<string, (bytes: Buffer) => string> = {
  "x-amz-checksum-crc32": (bytes) => {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(bytes));
    return sum.toString("base64");
  },
  "x-amz-checksum-sha1": (bytes) => createHash("sha1").update(bytes).digest("base64"),
  "x-amz-checksum-sha256": (bytes) => createHash("sha256").update(bytes).digest("base64"),
};

/** The bytes of the object. Verifies every checksum that came with them. */
export function decodePutBody(
  headers: IncomingHttpHeaders,
  body: Buffer,
): { bytes: Buffer; checksums: Record<string, string> } {
  const signed = String(headers["x-amz-content-sha256"] ?? "");
  const chunked =
    signed.startsWith("STREAMING-") ||
    headers["content-encoding"]?.includes("aws-chunked") === true;
  const { bytes, trailers } = chunked
    ? decodeChunks(body)
    : { bytes: body, trailers: new Map<string, string>() };

  const declaredLength = headers["x-amz-decoded-content-length"];
  if (chunked && declaredLength !== undefined && Number(declaredLength) !== bytes.length) {
    throw new S3Failure(400, "IncompleteBody");
  }
  const promised = headers["x-amz-trailer"];
  if (promised !== undefined && !trailers.has(String(promised)))
    throw new S3Failure(400, "MalformedTrailerError");
  if (
    /^[0-9a-f]{64}$/.test(signed) &&
    createHash("sha256").update(bytes).digest("hex") !== signed
  ) {
    throw new S3Failure(400, "XAmzContentSHA256Mismatch");
  }
  const md5 = headers["content-md5"];
  if (md5 !== undefined && createHash("md5").update(bytes).digest("base64") !== md5) {
    throw new S3Failure(400, "BadDigest");
  }
  const checksums: Record<string, string> = {};
  for (const [name, value] of [...Object.entries(headers), ...trailers]) {
    if (!/^x-amz-checksum-(?!algorithm$|type$|mode$)/.test(name)) continue;
    const digest = digests[name];
    if (digest === undefined) throw new S3Failure(501, "NotImplemented");
    if (digest(bytes) !== value) throw new S3Failure(400, "BadDigest");
    checksums[name] = digest(bytes);
  }
  return { bytes, checksums };
}

/** Reads chunks `size[;chunk-signature=…] CRLF bytes CRLF` until size 0, then `name:value CRLF` trailers. */
function decodeChunks(body: Buffer): { bytes: Buffer; trailers: Map<string, string> } {
  const chunks: Buffer[] = [];
  let offset = 0;
  const line = (): string => {
    const end = body.indexOf("\r\n", offset);
    if (end === -1) throw new S3Failure(400, "IncompleteBody");
    const text = body.toString("latin1", offset, end);
    offset = end + 2;
    return text;
  };
  for (;;) {
    const size = Number.parseInt(line(), 16);
    if (Number.isNaN(size)) throw new S3Failure(400, "InvalidChunkSizeError");
    if (size === 0) break;
    if (offset + size > body.length) throw new S3Failure(400, "IncompleteBody");
    chunks.push(body.subarray(offset, offset + size));
    offset += size;
    if (line() !== "") throw new S3Failure(400, "InvalidChunkSizeError");
  }
  const trailers = new Map<string, string>();
  while (offset < body.length) {
    const [name = "", ...value] = line().split(":");
    if (name !== "") trailers.set(name.toLowerCase(), value.join(":").trim());
  }
  return { bytes: Buffer.concat(chunks), trailers };
}
