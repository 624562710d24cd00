import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { modelTypes } from "../../cli/types/model-types.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { nearcast } from "../cli/nearcast.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { useTarget } from "../harness/use-target.ts";
import { recordedVoices, voiceFixtures, voiceSamples } from "./voice.ts";

/** The graph of the voice tests as plain tensors, with and without its state in the manifest. */
const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
const graph = join(voiceFixtures, "gru.onnx");
const FLAGS = { steps: ["--task", "tensor", "--options", '{"state": {"h": "hn"}}'], plain: [] };
for (const [name, flags] of Object.entries(FLAGS)) {
  const added = await nearcast(["add", graph, ...flags, "--name", name, "--models", models]);
  expect(added).toMatchObject({ code: 0, stderr: "" });
  await writeFile(join(models, name, "release.json"), '{"stable":"1"}');
}
afterAll(() => rm(models, { recursive: true }));

const { recipes, models: recorded } = recordedVoices;
const at = recipes.findIndex(
  ({ rate, channels }, row) =>
    rate === 16_000 && channels === 1 && recorded.gru[row]!.segments.length > 0,
);
const samples = Array.from(voiceSamples(recipes[at]!), (sample) => sample / 32_768);
const windows = Array.from({ length: 8 }, (_, index) =>
  index === 0
    ? [...Array.from({ length: 64 }, () => 0), ...samples.slice(0, 512)]
    : samples.slice(index * 512 - 64, (index + 1) * 512),
);
const zeros = [[Array.from({ length: 16 }, () => 0)]];

interface Outputs {
  speech: [[number]];
  hn?: number[][][];
  state?: string;
}

describe.each(inThisFile(["node", "worker"] as const))("on %s", (platform) => {
  const { postJson } = useTarget(platform, { models });

  async function ask(model: string, inputs: unknown, parameters: object = {}) {
    const response = await postJson(`/v1/models/${model}/predict`, { inputs, parameters });
    const answer = (await response.json()) as { outputs: Outputs; detail: string };
    return { status: response.status, ...answer };
  }

  test("a state goes from call to call as text, and as tensors", async () => {
    let state: string | undefined;
    let tensors: unknown = zeros;
    for (const [index, input] of windows.entries()) {
      const text = await ask("steps", { input: [input] }, { state, return_state: true });
      expect(text.status).toBe(200);
      const named = await ask("plain", { input: [input], h: tensors });
      expect(Object.keys(text.outputs)).toEqual(["speech", "state"]);
      expect(text.outputs.speech).toEqual(named.outputs.speech);
      expect(text.outputs.speech[0][0]).toBeCloseTo(recorded.gru[at]!.probabilities[index]!, 4);
      ({ state } = text.outputs);
      tensors = named.outputs.hn;
    }
  });

  test("without return_state the answer has all outputs, and a state begins with zeros", async () => {
    const [input] = windows;
    const begun = await ask("steps", { input: [input] });
    expect(begun.outputs).toEqual((await ask("plain", { input: [input], h: zeros })).outputs);
    expect((await ask("steps", { input: [input], h: zeros })).outputs).toEqual(begun.outputs);
  });

  test("a state that does not fit is refused", async () => {
    const input = [windows[0]];
    const { outputs } = await ask("steps", { input }, { return_state: true });
    const { state } = outputs;
    const refused: [string, unknown, object, string][] = [
      ["plain", { input, h: zeros }, { state }, "parameters.state must be absent"],
      [
        "plain",
        { input, h: zeros },
        { return_state: true },
        "parameters.return_state must be absent",
      ],
      ["steps", { input, h: zeros }, { state }, "inputs.h is in parameters.state already"],
      ["steps", [{ input }, { input }], { state }, "goes on with one input"],
      ["steps", { input }, { state: state!.slice(0, 100) }, "parameters.state"],
      ["plain", { input }, {}, "inputs.h is missing"],
    ];
    for (const [model, inputs, parameters, message] of refused) {
      const { status, detail } = await ask(model, inputs, parameters);
      expect(status, message).toBe(422);
      expect(detail).toContain(message);
    }
  });
});

test("its types and its description let the state be missing", async () => {
  const text = await readFile(join(models, "steps/1/model.json"), "utf8");
  const manifest = JSON.parse(text) as Manifest;
  const types = modelTypes([
    { manifest, input: {}, output: {}, parameters: { type: "object", properties: {} } },
  ]);
  expect(types).toMatch(/ h\?: /);
  expect(types).toMatch(/ input: /);
  expect(types).toMatch(/ hn\?: /);
  expect(types).toMatch(/ state\?: string;/);
  expect(manifest.examples[0]?.input).not.toHaveProperty("h");
});
