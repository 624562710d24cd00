import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createDeferred } from "../../functions/deferred.ts";
import type { CopyRecord } from "../../functions/observe/observer.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import type { Session } from "../../functions/runtime/types.ts";
import { createService } from "../../functions/service.ts";
import type { Tensor } from "../../functions/tensor.ts";
import { GRU, voiceFiles, voiceFixtures } from "../audio/voice.ts";
import { nearcast } from "../cli/nearcast.ts";

const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
afterAll(() => rm(models, { recursive: true }));
const FLAGS = {
  gru: ["--task", "voice-activity-detection", "--options", JSON.stringify(GRU)],
  steps: ["--task", "tensor", "--options", '{"state": {"h": "hn"}}'],
};
const release = { stable: "1", candidates: [{ version: "2", shadow: 100, segments: [] }] };
for (const [name, flags] of Object.entries(FLAGS)) {
  const graph = join(voiceFixtures, "gru.onnx");
  for (const _ of [1, 2]) {
    const added = await nearcast(["add", graph, ...flags, "--name", name, "--models", models]);
    expect(added).toMatchObject({ code: 0, stderr: "" });
  }
  const file = { schema: 1, revision: 1, salt: "s", history: [], ...release };
  await writeFile(join(models, name, "release.json"), JSON.stringify(file));
}

const INPUTS = {
  gru: Buffer.from(voiceFiles[0]!).toString("base64"),
  steps: { input: [Array.from({ length: 576 }, (_, at) => at / 576)] },
};

/** A service, and what became of its copies. Runs may give another state each time. */
function serve({ changes = true } = {}) {
  const platform = createNodePlatform({ STORE: models, ACCESS_LOG: "false" });
  const copies: CopyRecord[] = [];
  let runs = 0;
  let next = createDeferred<void>();
  const copy = (record: CopyRecord) => {
    copies.push(record);
    next.resolve();
    next = createDeferred();
  };
  const changing = {
    ...platform,
    prepareSession(_: unknown, session: Session): Session {
      if (!changes) return session;
      const run = session.run.bind(session);
      return {
        ...session,
        async run(...given) {
          const outputs = await run(...given);
          runs += 10;
          const state = outputs["hn"] as Tensor;
          (state.data as Float32Array)[0]! += runs;
          return outputs;
        },
      };
    },
  };
  const app = createApp(createService(changing, { observers: [{ copy }] }));
  /** Resolves when the call is answered, and copied or not. */
  async function ask(path: string, body: object): Promise<unknown> {
    const told = next.promise;
    const headers = { "Content-Type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const response = await app.request(path, init);
    const answer = await response.json();
    expect(response.status, JSON.stringify(answer)).toBe(200);
    await told;
    return answer;
  }
  return { ask, copies };
}

const COPIED = [
  { version: "2", compared: 1, disagreed: 0, dropped: undefined },
  { version: "2", compared: 0, disagreed: 0, dropped: "state" },
];

test.each(Object.entries(INPUTS))(
  "%s: the same version once more answers as stable, and gets no copy of a state",
  async (model, inputs) => {
    // The state of a window changes the probability of the next one.
    const { ask, copies } = serve({ changes: model === "steps" });
    let state: string | undefined;
    for (const _ of [1, 2]) {
      const body = { inputs, parameters: { return_state: true, state } };
      const answer = await ask(`/v1/models/${model}/predict`, body);
      ({ state } = (answer as { outputs: { state: string } }).outputs);
    }
    expect(copies).toMatchObject(COPIED);
  },
);

test.each(Object.keys(INPUTS))("%s: so it is with the graph's own tensors", async (model) => {
  const { ask, copies } = serve();
  const input = { name: "input", datatype: "FP32", shape: [1, 576], data: INPUTS.steps.input[0] };
  for (const value of [0, 0.5]) {
    const data = Array.from({ length: 16 }, () => value);
    const h = { name: "h", datatype: "FP32", shape: [1, 1, 16], data };
    await ask(`/v2/models/${model}/infer`, { inputs: [input, h] });
  }
  expect(copies).toMatchObject(COPIED);
});

test("steps: so it is with those among the inputs of a prediction", async () => {
  const { ask, copies } = serve();
  for (const value of [0, 0.5]) {
    const h = [[Array.from({ length: 16 }, () => value)]];
    await ask("/v1/models/steps/predict", { inputs: { ...INPUTS.steps, h } });
  }
  expect(copies).toMatchObject(COPIED);
});

test("steps: so it is where the answer has the state's tensors", async () => {
  const { ask, copies } = serve();
  await ask("/v1/models/steps/predict", { inputs: INPUTS.steps });
  expect(copies).toMatchObject(COPIED.slice(0, 1));
});
