import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeEach, expect, test } from "vitest";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import type { Tensors } from "../../functions/tensor.ts";
import { addExport } from "../hugging-face/export-folder.ts";
import { fixture, writePackage } from "./service.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
for (const name of ["mask-bert", "qa-bert", "ner-bert", "vectors-bert", "splade-bert"])
  await addExport(models, name);
await addExport(models, "nli-bert", "zero-shot-classification");
await addExport(models, "rank-bert", "text-ranking");
await addExport(models, "similar-bert", "sentence-similarity");
await writePackage(models, {
  artifact: await fixture("identity/fp32/1/model.onnx"),
  manifest: {
    name: "identity",
    task: "tensor",
    inputs: [{ name: "x", datatype: "FP32", shape: [-1, -1, -1] }],
    outputs: [{ name: "y", datatype: "FP32", shape: [-1, -1, -1] }],
  },
});

/** How many outputs of earlier runs were alive when each run began. The engine may still hold those of the last one. */
const alive: number[] = [];
let made: WeakRef<object>[] = [];
beforeEach(() => {
  alive.length = 0;
  made = [];
});

function open(env: Record<string, string> = {}) {
  const platform = createNodePlatform({ STORE: models, ACCESS_LOG: "false", ...env });
  return createService({
    ...platform,
    prepareSession: (_manifest, session) => ({
      ...session,
      release: () => session.release(),
      async run(feeds, names, owner, until) {
        await new Promise((resolve) => void setImmediate(resolve));
        collectGarbage();
        alive.push(made.filter((one) => one.deref() !== undefined).length);
        const outputs: Tensors = await session.run(feeds, names, owner, until);
        for (const { data } of Object.values(outputs)) made.push(new WeakRef(data));
        return outputs;
      },
    }),
  });
}

const service = open();
const text = "great phone ".repeat(60);
const rows = <T>(one: T, count = 1000) => Array.from({ length: count }, () => one);
const labels = rows(0, 900).map((_, index) => `phone ${index}`);
const identity = { x: rows(rows(rows(0.5, 100), 10), 20) };

test.each<[model: string, inputs: unknown[], parameters: Record<string, unknown>]>([
  ["mask-bert", rows(`[MASK] ${text}`, 600), { top_k: 1 }],
  ["qa-bert", rows({ question: "who", context: "great phone ".repeat(12) }, 300), {}],
  ["ner-bert", rows("great phone ".repeat(15), 600), {}],
  ["nli-bert", [text], { candidate_labels: labels }],
  ["rank-bert", [{ query: "phone", texts: rows(text, 900) }], {}],
  ["similar-bert", [{ source_sentence: text, sentences: rows(text, 900) }], {}],
  ["vectors-bert", rows(text), {}],
  ["splade-bert", rows(text, 600), {}],
  ["identity", rows(identity, 10), {}],
])("of %s, one run's outputs live at a time", async (model, inputs, parameters) => {
  const { outputs } = await service.predict({ model, inputs, parameters });
  expect(outputs).toHaveLength(inputs.length);
  expect(alive.length).toBeGreaterThan(2);
  expect(Math.max(...alive)).toBeLessThan(2);
});

test("a request whose outputs are too large together is not kept", async () => {
  const keeping = open({ PREDICTION_CACHE_TTL_SECONDS: "60", MAX_BATCH: "1200" });
  const ask = async (count: number) => {
    const inputs = rows(`[MASK] ${text}`, count);
    const { record } = await keeping.predict({
      model: "mask-bert",
      inputs,
      parameters: { top_k: 1 },
    });
    return record.cache;
  };
  expect(await ask(1200)).toBe("bypass");
  expect(Math.max(...alive)).toBeLessThan(2);
  expect(await ask(340)).toBe("miss");
});
