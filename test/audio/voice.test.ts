import { rm } from "node:fs/promises";
import { afterAll, describe, expect, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import { useTarget } from "../harness/use-target.ts";
import {
  apart,
  hasSilero,
  inSamples,
  recordedVoices,
  voiceFiles,
  voiceModels,
  voiceSamples,
  wavOfVoice,
  type HeardByLibrary,
  type VoiceAnswer,
} from "./voice.ts";

const { recipes, parameters, models: recorded, slow } = recordedVoices;

const models = await voiceModels();
afterAll(() => rm(models, { recursive: true }));

/** All recordings take long, and the same code runs on all platforms. */
const VARIANTS = [
  { platform: "node", step: 19 },
  { platform: "node", step: 1 },
  { platform: "nodeWasm", step: 1 },
  { platform: "worker", step: 1 },
  { platform: "lambda", step: 9 },
] as const;

describe.each(inThisFile(VARIANTS))("on $platform, one in $step", ({ platform, step }) => {
  const { post: send, postJson: sendJson } = useTarget(platform, { models });

  async function hear(model: string, file: Uint8Array, own: object): Promise<VoiceAnswer> {
    const inputs = Buffer.from(file).toString("base64");
    const response = await sendJson(`/v1/models/${model}/predict`, { inputs, parameters: own });
    const answer = (await response.json()) as { outputs: VoiceAnswer };
    expect(response.status, JSON.stringify(answer)).toBe(200);
    return answer.outputs;
  }

  const chosen = voiceFiles.flatMap((file, at) => (at % step === 0 ? [{ file, at }] : []));

  /** The recordings whose answer is not the library's. */
  async function unlike(
    model: string,
    some: readonly { file: Uint8Array; at: number }[],
    wanted: readonly HeardByLibrary[],
    { rate = 16_000, own = (at: number): object => parameters[at % parameters.length]! } = {},
  ) {
    const wrong: number[] = [];
    for (const { file, at } of some) {
      const answer = await hear(model, file, { ...own(at), return_probabilities: true });
      const { segments, probabilities } = wanted[at] as HeardByLibrary;
      const near = apart(answer.probabilities, probabilities) < 1e-4;
      if (!near || String(inSamples(answer, rate)) !== String(segments)) wrong.push(at);
    }
    return wrong;
  }

  test("a small graph hears what silero-vad's own code makes of it", async () => {
    expect(recorded.gru).toHaveLength(200);
    expect(await unlike("gru", chosen, recorded.gru)).toEqual([]);
  });

  test.runIf(hasSilero)("Silero's graph hears what get_speech_timestamps hears", async () => {
    expect(recorded.silero).toHaveLength(200);
    expect(await unlike("silero", chosen, recorded.silero)).toEqual([]);
  });

  test.runIf(hasSilero)("it hears 8,000 samples a second as they are", async () => {
    const byRow = new Map(slow.rows.map((at, index) => [at, slow.heard[index]!]));
    const wanted = recipes.map((_, at) => byRow.get(at)!);
    const some = slow.rows
      .filter((_, index) => index % Math.min(step, 5) === 0)
      .map((at) => ({ at, file: voiceFiles[at]! }));
    expect(some.length).toBeGreaterThan(3);
    expect(await unlike("silero8", some, wanted, { rate: 8000, own: () => ({}) })).toEqual([]);
  });

  test("pieces of a stream have the probabilities and segments of the whole", async () => {
    const rows = recipes.flatMap(({ rate, channels }, at) =>
      rate === 16_000 && channels === 1 && recorded.gru[at]!.segments.length > 0 ? [at] : [],
    );
    for (const [index, at] of rows.filter((_, row) => row % step === 0).entries()) {
      const model = hasSilero && index % 2 === 0 ? "silero" : "gru";
      const own = { ...parameters[at % parameters.length], return_probabilities: true };
      const samples = voiceSamples(recipes[at]!);
      const whole = await hear(model, voiceFiles[at]!, own);
      const joined: VoiceAnswer = { segments: [], probabilities: [] };
      let state: string | undefined;
      for (let from = 0, round = 0; from < samples.length; round++) {
        // Of one sample, of part of a window, of several.
        const length = [1, 511, 700, 8000, 1, 20_000][(round + at) % 6]!;
        const piece = wavOfVoice(samples.slice(from, from + length));
        from += length;
        const goesOn = from < samples.length;
        const made = await hear(model, piece, { ...own, state, return_state: goesOn });
        expect(made.state !== undefined).toBe(goesOn);
        joined.segments.push(...made.segments);
        joined.probabilities!.push(...made.probabilities!);
        state = made.state;
      }
      expect({ at, ...joined }).toEqual({ at, ...whole });
    }
  });

  test("a stream says that somebody speaks before the segment is over", async () => {
    const at = recorded.gru.findIndex(
      ({ segments }, row) => segments.length === 1 && recipes[row]!.rate === 16_000,
    );
    const samples = voiceSamples(recipes[at]!);
    const own = parameters[at % parameters.length];
    const [[start, end]] = recorded.gru[at]!.segments as [[number, number]];
    const middle = wavOfVoice(samples.slice(0, Math.floor((start + end) / 2)));
    const made = await hear("gru", middle, { ...own, return_state: true });
    expect(made.segments).toEqual([]);
    expect(made.speaking_since).toBe(start / 16_000);
  });

  test("a recording comes as a file, as a form, as samples, and to Hugging Face's address", async () => {
    const at = recipes.findIndex(
      ({ rate, channels }, row) =>
        rate === 44_100 && channels === 1 && recorded.gru[row]!.segments.length > 0,
    );
    const file = voiceFiles[at]!;
    const path = "/v1/models/gru/predict?return_probabilities=true";
    const wanted = recorded.gru[at]!.probabilities;
    const form = new FormData();
    form.append("file", new Blob([file], { type: "audio/wav" }), "speech.wav");
    form.append("parameters", '{"return_probabilities": true}');
    for (const response of await Promise.all([
      send(path, "audio/wav", file),
      send(path, "audio/pcm;rate=44100", file.slice(44)),
      send("/v1/models/gru/predict", "", form),
    ])) {
      const { outputs } = (await response.json()) as { outputs: VoiceAnswer };
      expect(apart(outputs.probabilities, wanted)).toBeLessThan(1e-4);
    }
    const native = await hear("gru", file, {});
    const asked = await send("/models/gru", "audio/wav", file);
    expect(await asked.json()).toEqual(native);
  });
});
