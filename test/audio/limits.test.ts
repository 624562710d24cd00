import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { costOf } from "../../functions/limits/cost.ts";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { nearcast } from "../cli/nearcast.ts";
import { fixtures, recorded } from "./recorded.ts";
import { recordingOf, wavOf } from "./recordings.ts";

const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
afterAll(() => rm(models, { recursive: true }));
const commands = [
  ["ast", "ast-audio", []],
  ["wave", "wav2vec2-audio", []],
] as const;
for (const [name, folder] of commands) {
  const command = ["add", join(fixtures, folder), "--name", name, "--models", models];
  expect(await nearcast(command)).toMatchObject({ code: 0, stderr: "" });
  await writeFile(join(models, name, "release.json"), '{"stable":"1"}');
}

const recording = (seconds: number) =>
  wavOf(new Uint8Array(seconds * 8000).fill(100), { rate: 8000, bits: 8 });
const samples = (count: number) => wavOf(new Uint8Array(count * 2).fill(9));

function serve(env: Record<string, string> = {}) {
  const platform = createNodePlatform({ STORE: models, ...env });
  const logs: Record<string, unknown>[] = [];
  platform.log = (entry) => void logs.push(entry);
  const app = createApp(createService(platform));
  const send = async (model: string, body: Uint8Array<ArrayBuffer> | string) => {
    const type = typeof body === "string" ? "application/json" : "audio/wav";
    const response = await app.request(`/v1/models/${model}/predict`, {
      method: "POST",
      headers: { "Content-Type": type },
      body,
    });
    return { status: response.status, answer: (await response.json()) as { detail?: string } };
  };
  return { send, logs };
}

test("a damaged file is never the server's failure", async () => {
  const { send } = serve();
  const whole = recordingOf({ ...recorded.recipes[1], length: 900 } as never);
  // The same every time.
  let state = 7;
  const random = (below: number) =>
    Math.floor(((state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32) * below);
  const statuses = new Set<number>();
  for (let round = 0; round < 150; round++) {
    const file = whole.slice(0, round % 3 === 0 ? random(whole.length) : undefined);
    for (let change = 0; change <= round % 4; change++)
      file[random(Math.min(64, file.length))] = random(256);
    const { status } = await send("ast", file);
    statuses.add(status);
  }
  expect(statuses).toEqual(new Set([200, 422]));
});

test("other chunks, of odd lengths too, are passed over", async () => {
  const { send } = serve();
  const whole = recordingOf(recorded.recipes[1] as never);
  const chunk = new Uint8Array([...Buffer.from("LIST"), 3, 0, 0, 0, 1, 2, 3, 0]);
  const file = new Uint8Array(Buffer.concat([whole.slice(0, 36), chunk, whole.slice(36)]));
  expect(await send("ast", file)).toEqual(await send("ast", whole));
});

test("the recordings of a request last as long as the deployment allows, and cost by their seconds", async () => {
  const { send, logs } = serve({ MAX_AUDIO_SECONDS: "20" });
  expect((await send("ast", recording(15))).status).toBe(200);
  expect(logs.at(-1)).toMatchObject({ seconds: 15, cost: 2 });
  const base64 = Buffer.from(recording(15)).toString("base64");
  const { status, answer } = await send("ast", JSON.stringify({ inputs: [base64, base64] }));
  expect(status).toBe(422);
  expect(answer.detail).toContain(
    "inputs[1] lasts 15 seconds, and those before it 15; the recordings",
  );
  expect(answer.detail).toContain("may last 20 together (MAX_AUDIO_SECONDS");
  expect(costOf({ rows: 1, seconds: 61 })).toBe(7);
});

test("a model of waveforms has a longest and a shortest recording", async () => {
  const { send } = serve();
  const { audio } = JSON.parse(await readFile(join(models, "wave/1/model.json"), "utf8")) as {
    audio: object;
  };
  expect(audio).toEqual({
    sampleRate: 16_000,
    waveform: { normalize: true, minSamples: 400, maxSeconds: 30 },
  });
  expect((await send("wave", samples(400))).status).toBe(200);
  expect((await send("wave", samples(399))).answer.detail).toContain("the model needs 0.025");
  expect((await send("wave", samples(31 * 16_000))).answer.detail).toContain(
    "lasts 31 seconds; the model takes 30",
  );
});
