import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createDeferred } from "../../functions/deferred.ts";
import type { CopyRecord } from "../../functions/observe/observer.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
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
  gru: Buffer.from(voiceFiles[0]!.subarray(0)).toString("base64"),
  steps: { input: [Array.from({ length: 576 }, (_, at) => at / 576)] },
};

test.each(Object.entries(INPUTS))(
  "%s: the same version once more answers as stable, and gets no copy of a state",
  async (model, inputs) => {
    const platform = createNodePlatform({ STORE: models, ACCESS_LOG: "false" });
    const copies: CopyRecord[] = [];
    let next = createDeferred<void>();
    const copy = (record: CopyRecord) => {
      copies.push(record);
      next.resolve();
      next = createDeferred();
    };
    const app = createApp(createService(platform, { observers: [{ copy }] }));
    let state: string | undefined;
    for (const _ of [1, 2]) {
      const told = next.promise;
      const response = await app.request(`/v1/models/${model}/predict`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs, parameters: { return_state: true, state } }),
      });
      const answer = (await response.json()) as { outputs: { state: string } };
      expect(response.status, JSON.stringify(answer)).toBe(200);
      ({ state } = answer.outputs);
      expect(state).not.toBe("");
      await told;
    }
    expect(copies).toMatchObject([
      { version: "2", compared: 1, disagreed: 0, dropped: undefined },
      { version: "2", compared: 0, disagreed: 0, dropped: "state" },
    ]);
  },
);
