import { createHash } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { copyPackaged } from "../../cli/build/packaged.ts";
import { startLambda, type Lambda } from "../../cli/local/lambda.ts";
import { startS3, type S3Server } from "../../cli/local/s3-server.ts";
import { lambdaDirectory } from "../harness/build.ts";
import { predictIris } from "./predict-iris.ts";

const models = join(import.meta.dirname, "../../models");
const BUCKET = "models";
const artifact = new Uint8Array(await readFile(join(models, "iris/1/model.onnx")));
const manifest = JSON.parse(await readFile(join(models, "iris/1/model.json"), "utf8")) as {
  artifact: { sha256: string; bytes: number };
};

let directory = "";
let s3: S3Server;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "nearcast-packaged-"));
  await cp(lambdaDirectory, directory, { recursive: true });
});
beforeEach(async () => {
  s3 = await startS3({ buckets: [BUCKET] });
  s3.put(BUCKET, "iris/release.json", JSON.stringify({ stable: "1" }));
  s3.put(BUCKET, "iris/1/model.json", JSON.stringify(manifest));
  s3.put(BUCKET, "iris/1/model.onnx", artifact);
  await rm(join(directory, "packaged"), { recursive: true, force: true });
  await copyPackaged(models, ["iris"], join(directory, "packaged"));
  return () => s3.close();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Runs one cold environment. */
async function cold<T>(
  use: (lambda: Lambda) => Promise<T>,
  env: Record<string, string> = {},
): Promise<T> {
  const cache = await mkdtemp(join(tmpdir(), "nearcast-cache-"));
  const lambda = await startLambda({
    directory,
    handler: "index.handler",
    env: {
      STORE: `s3://${BUCKET}`,
      S3_ENDPOINT: s3.endpoint,
      S3_FORCE_PATH_STYLE: "true",
      AUTH: "none",
      CACHE_DIR: cache,
      ...env,
    },
  });
  try {
    return await use(lambda);
  } finally {
    await lambda.stop();
    await rm(cache, { recursive: true });
  }
}

const asked = () => s3.requests.map(({ key }) => key).toSorted();

describe("a model in the function's package", () => {
  test("is not fetched, and its manifest comes together with the release", async () => {
    let waiting = 0;
    let together = 0;
    s3.behaviourFor = () => {
      together = Math.max(together, (waiting += 1));
      return "slow";
    };
    expect(await cold(predictIris)).toBe("1");
    expect(asked()).toEqual(["iris/1/model.json", "iris/release.json"]);
    expect(together).toBe(2);
  });

  test("is fetched when the file in the package is damaged", async () => {
    const file = join(directory, "packaged", manifest.artifact.sha256);
    const damaged = artifact.slice();
    damaged[100] = (damaged[100] ?? 0) ^ 1;
    await writeFile(file, damaged);
    expect(await cold(predictIris)).toBe("1");
    expect(asked()).toContain("iris/1/model.onnx");
  });

  test("gives way to another version that the store's release names", async () => {
    // A document string after the graph: the same model, other bytes.
    const other = Uint8Array.of(...artifact, 0x32, 1, 0x61);
    const sha256 = createHash("sha256").update(other).digest("hex");
    const second = { ...manifest, version: "2" };
    second.artifact = { ...manifest.artifact, sha256, bytes: other.byteLength };
    s3.put(BUCKET, "iris/2/model.json", JSON.stringify(second));
    s3.put(BUCKET, "iris/2/model.onnx", other);
    s3.put(BUCKET, "iris/release.json", JSON.stringify({ stable: "2" }));
    expect(await cold(predictIris)).toBe("2");
    expect(asked()).toContain("iris/2/model.onnx");
    expect(asked()).not.toContain("iris/1/model.onnx");
  });

  test("is loaded in the init phase where PRELOAD names it", async () => {
    const env = { PRELOAD: "iris,unknown" };
    await cold(async (lambda) => {
      const { readyAt } = await firstEvent(lambda);
      expect(readyAt).toBeDefined();
      const before = asked();
      expect(before).toContain("iris/release.json");
      await predictIris(lambda);
      expect(asked()).toEqual(before);
      expect(lambda.logs).toContain('"message":"not preloaded","model":"unknown"');
    }, env);
  });
});

/** Starts the environment with a request that needs no model. */
async function firstEvent(lambda: Lambda): Promise<Lambda> {
  expect((await lambda.fetch("/health")).status).toBe(200);
  return lambda;
}

describe("nearcast build lambda --with", () => {
  test("copies artifacts under their digests", async () => {
    const folder = join(directory, "packaged");
    expect((await readdir(folder)).toSorted()).toEqual(
      [manifest.artifact.sha256, "versions.json"].toSorted(),
    );
    expect(JSON.parse(await readFile(join(folder, "versions.json"), "utf8"))).toEqual({
      iris: "1",
    });
  });

  test("refuses a model that is not there, and one with a wrong digest", async () => {
    const output = join(directory, "refused");
    await expect(copyPackaged(models, ["iris@7"], output)).rejects.toThrow("no version 7 of iris");
    const wrong = await mkdtemp(join(tmpdir(), "nearcast-models-"));
    await cp(join(models, "iris"), join(wrong, "iris"), { recursive: true });
    await writeFile(join(wrong, "iris/1/model.onnx"), artifact.slice(1));
    await expect(copyPackaged(wrong, ["iris"], output)).rejects.toThrow("does not match");
    await rm(wrong, { recursive: true });
  });
});
