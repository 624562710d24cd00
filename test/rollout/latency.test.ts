import { createHash } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readOnnx, writeOnnx } from "../../functions/platform/onnx/model.ts";
import { createApp } from "../../functions/app.ts";
import { updateRelease } from "../../functions/model/change-release.ts";
import { readRelease, type Release } from "../../functions/model/release.ts";
import { DEFAULT_POLICY } from "../../functions/model/release-policy.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { createService } from "../../functions/service.ts";

const SLOW = join(import.meta.dirname, "../fixtures/slow");
const TIMES = 20n;

/** A folder with `slow` in version 1, and in version 2 of as many times the work. */
async function slowerModels(): Promise<string> {
  const models = await mkdtemp(join(tmpdir(), "nearcast-slower-"));
  onTestFinished(() => rm(models, { recursive: true, force: true }));
  await cp(SLOW, join(models, "slow"), { recursive: true });
  const onnx = readOnnx(await readFile(join(SLOW, "1/model.onnx")));
  const [squeeze, loop] = onnx.graph?.node ?? [];
  const [weights] = onnx.graph?.initializer ?? [];
  if (!squeeze || !loop || !weights) throw new Error("the graph is another one");
  const INT64 = 7;
  const factor = { ...weights, name: "factor", dims: [], dataType: INT64 };
  factor.rawData = new Uint8Array(BigInt64Array.of(TIMES).buffer);
  onnx.graph?.initializer.push(factor);
  squeeze.output = ["asked"];
  const product = { ...squeeze, input: ["asked", "factor"], output: ["trips"], opType: "Mul" };
  onnx.graph?.node.splice(1, 0, product);
  const bytes = writeOnnx(onnx);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  await cp(join(SLOW, "1"), join(models, "slow/2"), { recursive: true });
  await writeFile(join(models, "slow/2/model.onnx"), bytes);
  const manifest = JSON.parse(await readFile(join(SLOW, "1/model.json"), "utf8")) as object;
  const artifact = { file: "model.onnx", sha256, bytes: bytes.length };
  await writeFile(
    join(models, "slow/2/model.json"),
    JSON.stringify({ ...manifest, version: "2", artifact }),
  );
  return models;
}

test.each([
  [1.5, 0],
  [undefined, 20],
])(
  "a version that is much slower, with the bound %s for latency: its share is then %d",
  async (latency, percent) => {
    const models = await slowerModels();
    const store = createFolderStore(models);
    await writeFile(join(models, "slow/release.json"), '{"stable":"1"}');
    const version = "2";
    const rollback = { ...DEFAULT_POLICY.rollback, ...(latency && { latency }) };
    await updateRelease(store, "slow", () => ({
      candidates: [{ version, percent: 20, segments: [] }] as unknown as Release["candidates"],
      policy: { ...DEFAULT_POLICY, rollback },
      event: { version, change: "begun" },
    }));
    const env = { STORE: models, ACCESS_LOG: "false", RELEASE_TTL_SECONDS: "0" };
    const service = createService({ ...createNodePlatform(env), log: () => undefined });
    const app = createApp(service);
    for (let request = 0; request < 350; request++) {
      const answer = await app.request("/v1/models/slow/predict", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Nearcast-Key": `key-${request}` },
        body: JSON.stringify({ inputs: { iterations: [20] } }),
      });
      expect(answer.status).toBe(200);
      await answer.arrayBuffer();
    }
    await service.rollouts.lookAtKnown();
    const found = await readRelease(store, "slow");
    expect(found?.release.candidates).toMatchObject([{ version, percent }]);
    if (percent === 0)
      expect(found?.release.history[0]?.why).toMatch(
        /^\d+ of its \d+ answers took longer than 1\.5 times stable's 95th percentile$/,
      );
  },
);
