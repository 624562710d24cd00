import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { targets, type Target } from "../harness/targets.ts";
import {
  hasSilero,
  inSamples,
  recordedVoices,
  voiceModels,
  voiceSamples,
  wavOfVoice,
  type VoiceAnswer,
} from "./voice.ts";

const { recipes, long } = recordedVoices;

const models = await voiceModels();
afterAll(() => rm(models, { recursive: true }));

const env = {
  MAX_AUDIO_SECONDS: "600",
  MAX_BODY_BYTES: "20000000",
  REQUEST_TIMEOUT_MS: "170000",
};

/** Ten minutes, as make.py puts them together. */
function tenMinutes(): Int16Array {
  const plain = recipes
    .filter(({ rate, channels }) => rate === 16_000 && channels === 1)
    .map(voiceSamples);
  const samples = new Int16Array(long.samples);
  for (let [at, next] = [0, 0]; at < samples.length; next++) {
    const own = plain[next % plain.length]!.subarray(0, samples.length - at);
    samples.set(own, at);
    at += own.length;
  }
  return samples;
}

describe.runIf(hasSilero).each(["node", "nodeWasm"] as const)("on %s", (platform) => {
  let target: Target;
  beforeAll(async () => {
    target = await targets[platform]({ models, env });
  });
  afterAll(() => target.stop());

  test("ten minutes have the segments of the library, and others are answered meanwhile", async () => {
    expect(long.samples).toBe(600 * 16_000);
    const asking = { isOver: false };
    const asked = target
      .fetch("/v1/models/silero/predict", {
        method: "POST",
        headers: { "Content-Type": "audio/wav" },
        body: wavOfVoice(tenMinutes()),
      })
      .finally(() => (asking.isOver = true));
    let healthy = 0;
    while (!asking.isOver) if ((await target.fetch("/health")).status === 200) healthy++;
    const response = await asked;
    const { outputs } = (await response.json()) as { outputs: VoiceAnswer };
    expect(response.status).toBe(200);
    expect(inSamples(outputs)).toEqual(long.segments);
    // Each waits for some windows at most, of 18,750.
    expect(healthy).toBeGreaterThan(100);
  });
});
