import { createHash, randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { type Objects, store } from "./s3-objects.ts";
import { type Reply, S3Failure, xml } from "./s3-protocol.ts";
import { decodePutBody } from "./s3-put-body.ts";

interface Part {
  bytes: Buffer;
  etag: string;
}

/** Uploads in parts that have begun, by their ids. */
export type Uploads = Map<string, { key: string; parts: Map<number, Part> }>;

interface Asked {
  method: string;
  key: string;
  query: URLSearchParams;
  request: IncomingMessage;
  body: Buffer;
}

/** Every part but the last has at least so many bytes. */
const LEAST_PART_BYTES = 5 * 1024 * 1024;
const XML = { "content-type": "application/xml" };

/** Answers a request of an upload in parts. Undefined for other requests. */
export function multipart(objects: Objects, uploads: Uploads, asked: Asked): Reply | undefined {
  const { method, key, query } = asked;
  if (method === "POST" && query.has("uploads")) {
    const id = randomUUID();
    uploads.set(id, { key, parts: new Map() });
    const body = xml("InitiateMultipartUploadResult", { Key: key, UploadId: id });
    return { status: 200, headers: XML, body };
  }
  const id = query.get("uploadId");
  if (id === null) return undefined;
  const upload = uploads.get(id);
  if (!upload || upload.key !== key) throw new S3Failure(404, "NoSuchUpload");
  if (method === "PUT") {
    const { bytes, checksums } = decodePutBody(asked.request.headers, asked.body);
    const etag = `"${createHash("md5").update(bytes).digest("hex")}"`;
    upload.parts.set(Number(query.get("partNumber")), { bytes, etag });
    return { status: 200, headers: { etag, ...checksums } };
  }
  if (method === "DELETE") {
    uploads.delete(id);
    return { status: 204 };
  }
  if (method !== "POST") return undefined;
  if (asked.request.headers["if-none-match"] === "*" && objects.has(key))
    throw new S3Failure(412, "PreconditionFailed");
  const { etag } = store(objects, key, complete(upload.parts, String(asked.body)), {});
  uploads.delete(id);
  const body = xml("CompleteMultipartUploadResult", { Key: key, ETag: etag });
  return { status: 200, headers: XML, body };
}

/** The bytes of the parts that the request names, which are those that were put last. */
function complete(parts: ReadonlyMap<number, Part>, text: string): Buffer {
  const named = [...text.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = ""]) => ({
    number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
    etag: (/<ETag>(.*?)</.exec(part)?.[1] ?? "").replaceAll("&quot;", '"'),
  }));
  return Buffer.concat(
    named.map(({ number, etag }, index) => {
      const part = parts.get(number);
      if (part?.etag !== etag) throw new S3Failure(400, "InvalidPart");
      const isLast = index === named.length - 1;
      if (!isLast && part.bytes.length < LEAST_PART_BYTES)
        throw new S3Failure(400, "EntityTooSmall");
      return part.bytes;
    }),
  );
}
