import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createS3Store } from "../../functions/platform/store/s3.ts";
import { startS3, type S3Server } from "../../cli/local/s3-server.ts";
import { storeContract } from "../../functions/testing.ts";

vi.stubEnv("AWS_REGION", "us-east-1");
vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");

function open(s3: S3Server, bucket: string, prefix: string) {
  return createS3Store({ bucket, prefix, endpoint: s3.endpoint, forcePathStyle: true });
}

describe.each(["", "some/prefix/"])("with the prefix %j", (prefix) => {
  let s3: S3Server;
  beforeAll(async () => {
    s3 = await startS3({ buckets: ["models"] });
  });
  afterAll(() => s3.close());
  for (const { name, run } of storeContract(() => open(s3, "models", prefix)))
    test(name, run, 300_000);
});

describe("faults", () => {
  let s3: S3Server;
  beforeAll(async () => {
    s3 = await startS3({ buckets: ["models"] });
  });
  afterAll(() => s3.close());

  test("a bucket that does not exist is a fault, not an absent key", async () => {
    await expect(open(s3, "nowhere", "").get("a")).rejects.toMatchObject({ name: "NoSuchBucket" });
  });

  test("the signal ends a get that stalls", async () => {
    s3.behaviour = "stall";
    const got = open(s3, "models", "").get("a", { signal: AbortSignal.timeout(200) });
    await expect(got).rejects.toThrow();
    s3.behaviour = "ok";
  });

  test("a refusal is a fault", async () => {
    s3.behaviour = "forbidden";
    await expect(open(s3, "models", "").get("a")).rejects.toMatchObject({ name: "AccessDenied" });
    s3.behaviour = "ok";
  });
});
