import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Manifest } from "../../functions/model/manifest.ts";
import { succeed } from "../cli/nearcast.ts";
import { forest } from "../harness/forest.ts";
import { manyModels } from "../harness/many-models.ts";
import { targets, type Target } from "../harness/targets.ts";
import { exampleOf, SECRET, serveRegion, type Served } from "./deployments.ts";

// Two forests whose files are far below a Worker's SESSION_BUDGET_MB. In WASM memory the larger one takes 15 times its
// file: `verify` measures it, and the Worker must decide by that.
const [FITS, SPILLS] = ["iris", "iris-1"];

let models: Awaited<ReturnType<typeof manyModels>>;
let region: Served;
let edge: Target;

beforeAll(async () => {
  models = await manyModels(2, { artifact: await forest(20) });
  await enlarge(join(models.folder, SPILLS, "1"));
  region = await serveRegion({ STORE: models.folder });
}, 60_000);
afterAll(async () => {
  await edge?.stop();
  await region.close();
  await models.remove();
});

async function enlarge(folder: string): Promise<void> {
  const artifact = await forest(140);
  const path = join(folder, "model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as Manifest;
  const sha256 = createHash("sha256").update(artifact).digest("hex");
  const own = { file: "model.onnx", sha256, bytes: artifact.byteLength };
  expect(own.bytes).toBeLessThan(10 * 1024 * 1024);
  await writeFile(join(folder, "model.onnx"), artifact);
  await writeFile(path, JSON.stringify({ ...manifest, artifact: own }));
}

const verify = async (name: string, ...more: string[]) =>
  JSON.parse(
    await succeed([
      "verify",
      name,
      "--json",
      "--tolerance",
      "0.001",
      "--models",
      models.folder,
      ...more,
    ]),
  ) as { spillover?: { what: string; isEstimate: boolean } };

async function ask({ fetch }: Target, name: string) {
  const { input } = await exampleOf("iris");
  return fetch(`/v1/models/${name}/predict`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ inputs: input }),
  });
}

const loadedBy = ({ store }: Target) => store.gets().filter((key) => key.endsWith(".onnx"));

test("what verify says will spill is what spills, and the rest does not", async () => {
  expect((await verify(FITS, "--record")).spillover).toBeUndefined();
  const { spillover } = await verify(SPILLS, "--runtime", "native", "--record");
  expect(spillover).toMatchObject({ what: "WASM memory with its files", isEstimate: false });

  edge = await targets.worker({
    models: models.folder,
    env: { SPILL_URL: region.url, SPILL_SECRET: SECRET },
  });
  const here = await ask(edge, FITS);
  expect([here.status, here.headers.get("x-nearcast-spillover")]).toEqual([200, null]);
  const there = await ask(edge, SPILLS);
  expect([there.status, there.headers.get("x-nearcast-spillover")]).toEqual([200, "region"]);
  expect(await there.json()).toMatchObject({ outputs: { label: "setosa" } });
  // It did not try.
  expect(loadedBy(edge)).toEqual([`${FITS}/1/model.onnx`]);
}, 120_000);

test("without a region it is refused before it ends the isolate", async () => {
  await edge.restart({ SPILL_URL: "" });
  const refused = await ask(edge, SPILLS);
  expect([refused.status, await refused.json()]).toMatchObject([507, { code: "model_too_large" }]);
  expect(loadedBy(edge)).not.toContain(`${SPILLS}/1/model.onnx`);
  expect((await ask(edge, FITS)).status).toBe(200);
}, 60_000);
