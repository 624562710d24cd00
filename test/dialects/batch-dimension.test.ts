import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Manifest } from "../../functions/model/manifest.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { targets, type Target } from "../harness/targets.ts";
import { post } from "./platforms.ts";

const PACKAGE = new URL("../fixtures/identity/gather/1/", import.meta.url);
/** The number of frames in 48 seconds of sound. It is more than the 1,000 rows that a request may have. */
const FRAMES = Array.from({ length: 1500 }, (_, index) => index % 3);
const VALUES = FRAMES.map((frame) => 10 * (frame + 1));

/** Sends all frames as one tensor in each dialect, and gives the values of the answer. */
const FORMS: Record<
  string,
  [path: (model: string) => string, body: object, values: (answer: never) => unknown]
> = {
  native: [
    (model) => `/v1/models/${model}/predict`,
    { inputs: { index: FRAMES } },
    ({ outputs }: { outputs: { value: unknown } }) => outputs.value,
  ],
  v2: [
    (model) => `/v2/models/${model}/infer`,
    { inputs: [{ name: "index", datatype: "INT64", shape: [FRAMES.length], data: FRAMES }] },
    ({ outputs }: { outputs: { data: unknown }[] }) => outputs[0]?.data,
  ],
  "inputs of TensorFlow Serving": [
    (model) => `/v1/models/${model}:predict`,
    { inputs: FRAMES },
    ({ outputs }: { outputs: unknown }) => outputs,
  ],
  "instances of TensorFlow Serving": [
    (model) => `/v1/models/${model}:predict`,
    { instances: FRAMES },
    ({ predictions }: { predictions: unknown }) => predictions,
  ],
  "inputs of MLflow": [
    () => "/invocations",
    { inputs: FRAMES },
    ({ predictions }: { predictions: unknown }) => predictions,
  ],
  "instances of MLflow": [
    () => "/invocations",
    { instances: FRAMES },
    ({ predictions }: { predictions: unknown }) => predictions,
  ],
};

const target = (model: string) => ({ "X-Amzn-SageMaker-Target-Model": model });

describe.each(inThisFile(Object.entries(targets)))("on %s", (_name, start) => {
  let server: Target;
  beforeAll(async () => {
    server = await start();
    await put("rows", {});
    await put("frames", { batchDimension: null });
  });
  afterAll(() => server?.stop());

  /** A graph that looks up numbers in a table. Its only dimension is free. */
  async function put(name: string, fields: Partial<Manifest>): Promise<void> {
    const text = await readFile(new URL("model.json", PACKAGE), "utf8");
    const artifact = await readFile(new URL("model.onnx", PACKAGE));
    const sha256 = createHash("sha256").update(artifact).digest("hex");
    const manifest = JSON.parse(text) as Manifest;
    expect(manifest.artifact.sha256).toBe(sha256);
    await server.store.put(`${name}/1/model.onnx`, artifact);
    await server.store.put(
      `${name}/1/model.json`,
      JSON.stringify({ ...manifest, ...fields, name }),
    );
    await server.store.put(`${name}/release.json`, '{"stable":"1"}');
  }

  test.each(Object.entries(FORMS))("%s: what is no batch is not counted", async (_, form) => {
    const [path, body, values] = form;
    const answer = await post(server, path("frames"), body, target("frames"));
    expect([answer.status, answer.body["detail"]]).toEqual([200, undefined]);
    expect(values(answer.body as never)).toEqual(VALUES);
    const refused = await post(server, path("rows"), body, target("rows"));
    expect(refused.status).toBe(422);
    expect(JSON.stringify(refused.body)).toMatch(/must have at most 1000 (rows|inputs), has 1500/);
  });

  test("a batch counts its rows, a sound is one", async () => {
    await put("sound", { batchDimension: null });
    await put("pair", {});
    const input = { name: "index", datatype: "INT64", shape: [2], data: [0, 1] };
    for (const [model, rows] of [
      ["sound", 1],
      ["pair", 2],
    ] as const) {
      expect((await post(server, `/v2/models/${model}/infer`, { inputs: [input] })).status).toBe(
        200,
      );
      const response = await server.fetch(`/v2/models/${model}/stats`);
      expect(await response.json()).toMatchObject({ model_stats: [{ inference_count: rows }] });
    }
  });
});
