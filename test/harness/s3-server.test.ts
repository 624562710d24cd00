import { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type S3Server, startS3 } from "../../cli/local/s3-server.ts";

let s3: S3Server;
let client: S3Client;
const Bucket = "models";

beforeEach(async () => {
  s3 = await startS3({ buckets: [Bucket] });
  client = new S3Client({
    endpoint: s3.endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
  });
});
afterEach(async () => {
  client.destroy();
  await s3.close();
});

const get = (Key: string, more: object = {}) =>
  client.send(new GetObjectCommand({ Bucket, Key, ...more }));
const put = (Key: string, Body: Buffer | Readable | string, more: object = {}) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const status = (httpStatusCode: number) => ({ $metadata: { httpStatusCode } });

test("an object is read whole, in part, and not at all when unchanged", async () => {
  const ETag = s3.put(Bucket, "a b/+1.onnx", "hello world");
  const whole = await get("a b/+1.onnx");
  expect(whole.ETag).toBe(ETag);
  expect(await whole.Body?.transformToString()).toBe("hello world");
  const part = await get("a b/+1.onnx", { Range: "bytes=6-8" });
  expect(part.ContentRange).toBe("bytes 6-8/11");
  expect(await part.Body?.transformToString()).toBe("wor");
  expect(
    (await client.send(new HeadObjectCommand({ Bucket, Key: "a b/+1.onnx" }))).ContentLength,
  ).toBe(11);
  await expect(get("a b/+1.onnx", { IfNoneMatch: ETag })).rejects.toMatchObject(status(304));
  await expect(get("none")).rejects.toMatchObject({ name: "NoSuchKey" });
  await expect(
    client.send(new GetObjectCommand({ Bucket: "other", Key: "a" })),
  ).rejects.toMatchObject({ name: "NoSuchBucket" });
  expect(s3.requests.map((request) => request.status)).toEqual([200, 206, 200, 304, 404, 404]);
});

test("If-None-Match: * creates an object once", async () => {
  const results = await Promise.allSettled(
    [1, 2, 3, 4].map((n) => put("new", `writer ${n}`, { IfNoneMatch: "*" })),
  );
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  await expect(put("new", "late", { IfNoneMatch: "*" })).rejects.toMatchObject({
    name: "PreconditionFailed",
    ...status(412),
  });
});

test("If-Match lets one of many concurrent writers win, and none when the object is gone", async () => {
  const IfMatch = s3.put(Bucket, "state", "one");
  const results = await Promise.allSettled(
    [1, 2, 3, 4].map((n) => put("state", `writer ${n}`, { IfMatch })),
  );
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  await client.send(new DeleteObjectCommand({ Bucket, Key: "state" }));
  await expect(put("state", "two", { IfMatch })).rejects.toMatchObject(status(404));
});

test("buffers and streams arrive unchanged, and their checksums are checked", async () => {
  const bytes = Buffer.alloc(300_000, "model");
  await put("buffer", bytes);
  const chunks = [bytes.subarray(0, 70_000), bytes.subarray(70_000)];
  await put("stream", Readable.from(chunks), { ContentLength: bytes.length });
  expect(s3.get(Bucket, "buffer")).toEqual(bytes);
  expect(s3.get(Bucket, "stream")).toEqual(bytes);
  await expect(put("wrong", bytes, { ChecksumCRC32: "AAAAAA==" })).rejects.toMatchObject({
    name: "BadDigest",
  });
  const trailer = (crc: string) =>
    fetch(`${s3.endpoint}/${Bucket}/raw`, {
      method: "PUT",
      headers: {
        "content-encoding": "aws-chunked",
        "x-amz-trailer": "x-amz-checksum-crc32",
        "x-amz-decoded-content-length": "2",
      },
      body: `2\r\nhi\r\n0\r\nx-amz-checksum-crc32:${crc}\r\n\r\n`,
    });
  expect((await trailer("AAAAAA==")).status).toBe(400);
  expect((await trailer("2JMqrA==")).status).toBe(200);
  expect(s3.keys(Bucket)).toEqual(["buffer", "raw", "stream"]);
});

test("a listing pages through keys and common prefixes", async () => {
  for (const key of ["a/1", "a/2", "b", "c d&<é>", "e/1", "f"]) s3.put(Bucket, key, "x");
  const seen: string[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({
        Bucket,
        Delimiter: "/",
        MaxKeys: 2,
        ...(ContinuationToken && { ContinuationToken }),
      }),
    );
    expect(page.KeyCount).toBeLessThanOrEqual(2);
    seen.push(
      ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix ?? ""),
      ...(page.Contents ?? []).map(({ Key }) => Key ?? ""),
    );
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  expect(seen).toEqual(["a/", "b", "e/", "c d&<é>", "f"]);
  const encoded = await client.send(
    new ListObjectsV2Command({ Bucket, Prefix: "c", EncodingType: "url" }),
  );
  expect(encoded.Contents?.[0]?.Key).toBe("c+d%26%3C%C3%A9%3E");
});

test("each behaviour fails the way its name says, and ok brings the store back", async () => {
  s3.put(Bucket, "m", "abcdefgh");
  const read = async (signal?: AbortSignal) => {
    const response = await fetch(`${s3.endpoint}/${Bucket}/m`, signal ? { signal } : {});
    return { status: response.status, text: await response.text() };
  };
  s3.behaviour = "down";
  await expect(read()).rejects.toMatchObject({ cause: { message: "other side closed" } });
  s3.behaviour = "refuse";
  await expect(read()).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } });
  s3.behaviour = "stall";
  await expect(read(AbortSignal.timeout(150))).rejects.toMatchObject({ name: "TimeoutError" });
  s3.behaviour = "slow-body";
  await expect(read(AbortSignal.timeout(150))).rejects.toMatchObject({ name: "TimeoutError" });
  expect(s3.requests.at(-1)?.status).toBe(200);
  s3.behaviour = "error-500";
  expect((await read()).status).toBe(500);
  s3.behaviour = "forbidden";
  await expect(get("m")).rejects.toMatchObject({ name: "AccessDenied", ...status(403) });
  s3.behaviour = "garbage";
  expect(await read()).toEqual({ status: 200, text: expect.not.stringMatching("abcdefgh") });
  s3.behaviour = "truncate";
  expect(await read()).toEqual({ status: 200, text: "abcd" });
  s3.behaviourFor = (key) => (key === "m" ? "ok" : undefined);
  expect(await read()).toEqual({ status: 200, text: "abcdefgh" });
});
