import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { startWorker, type WorkerHarness } from "../harness/worker.ts";
import { predictIris } from "./predict-iris.ts";

const root = join(import.meta.dirname, "../..");
const artifact = new Uint8Array(await readFile(join(root, "models/iris/1/model.onnx")));
const manifest = JSON.parse(await readFile(join(root, "models/iris/1/model.json"), "utf8")) as {
  artifact: object;
};

let built = "";
beforeAll(async () => {
  built = await mkdtemp(join(tmpdir(), "nearcast-worker-"));
  const args = ["deploy", "bench/worker-with-iris.ts", "--dry-run", "--outdir", built];
  await promisify(execFile)(join(root, "node_modules/.bin/wrangler"), args, { cwd: root });
});
afterAll(() => rm(built, { recursive: true, force: true }));

/** A Worker with iris among its modules, over a bucket with iris. */
async function start(directory = built): Promise<WorkerHarness> {
  const compatibilityDate = "2026-10-20";
  const worker = await startWorker({ directory, compatibilityDate, vars: { AUTH: "none" } });
  onTestFinished(() => worker.stop());
  await worker.put("iris/release.json", JSON.stringify({ stable: "1" }));
  await worker.put("iris/1/model.json", JSON.stringify(manifest));
  await worker.put("iris/1/model.onnx", artifact);
  return worker;
}

const asked = (worker: WorkerHarness) =>
  worker
    .storeRequests()
    .filter(({ method }) => method === "get")
    .map(({ key }) => key)
    .toSorted();

test("a model among the Worker's modules is not fetched from the bucket", async () => {
  const worker = await start();
  expect(await predictIris(worker)).toBe("1");
  expect(asked(worker)).toEqual(["iris/1/model.json", "iris/release.json"]);
});

test("a damaged module is not used: the artifact comes from the bucket", async () => {
  const directory = await mkdtemp(join(tmpdir(), "nearcast-worker-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  await cp(built, directory, { recursive: true });
  const name = (await readdir(directory)).find((file) => file.endsWith(".onnx")) ?? "";
  const damaged = artifact.slice();
  damaged[100] = (damaged[100] ?? 0) ^ 1;
  await writeFile(join(directory, name), damaged);
  const worker = await start(directory);
  expect(await predictIris(worker)).toBe("1");
  expect(asked(worker)).toContain("iris/1/model.onnx");
});

test("a release of another version replaces the Worker's own", async () => {
  const worker = await start();
  // A document string after the graph: the same model, other bytes.
  const other = Uint8Array.of(...artifact, 0x32, 1, 0x61);
  const sha256 = createHash("sha256").update(other).digest("hex");
  const second = { ...manifest, version: "2" };
  second.artifact = { ...manifest.artifact, sha256, bytes: other.byteLength };
  await worker.put("iris/2/model.json", JSON.stringify(second));
  await worker.put("iris/2/model.onnx", other);
  await worker.put("iris/release.json", JSON.stringify({ stable: "2" }));
  expect(await predictIris(worker)).toBe("2");
  expect(asked(worker)).toContain("iris/2/model.onnx");
});
