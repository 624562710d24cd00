import { wavOf } from "../../audio/recordings.ts";
import type { Recipe } from "./genes.ts";

/** Models of recordings, by the features that they hear. */
export const RECORDINGS = ["wav2vec2-audio", "ast-audio", "whisper-audio"] as const;

const LONGEST = 6_400_000;

/** A recording of any kind, once or many times. */
export const recordingRecipe: Recipe = {
  name: "WAV",
  genes: {
    model: RECORDINGS,
    rate: [1, 200_000],
    bits: ["8", "16", "24", "32", "64"],
    channels: [1, 40],
    frames: [0, 1_000_000],
    times: [1, 1000],
  },
  make({ model, rate, bits, channels, frames, times }) {
    const bytes = (Number(bits) / 8) * Number(channels) * Number(frames);
    if (bytes * 1.4 * Number(times) > LONGEST) return undefined;
    const tag = bits === "64" ? 3 : 1;
    const header = { tag, channels: Number(channels), rate: Number(rate), bits: Number(bits) };
    const file = Buffer.from(wavOf(new Uint8Array(bytes), header));
    const path = `/v1/models/${String(model)}/predict`;
    if (Number(times) === 1)
      return {
        kind: "WAV",
        method: "POST",
        path,
        headers: [["Content-Type", "audio/wav"]],
        body: file,
      };
    const text = JSON.stringify(file.toString("base64"));
    const body = Buffer.from(`{"inputs":[${Array<string>(Number(times)).fill(text).join()}]}`);
    const headers: [string, string][] = [["Content-Type", "application/json"]];
    return { kind: "WAV", method: "POST", path, headers, body };
  },
};
