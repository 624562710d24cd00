import * as z from "zod";

const count = z.number().int().positive();
const bins = count.max(512).describe("Mel bins of a frame.");
const frames = count
  .max(8192)
  .describe("How many, a hundred a second. Longer recordings are cut, shorter ones filled up.");

export const sampleRate = z
  .number()
  .int()
  .min(8000)
  .max(48_000)
  .describe("Samples a second that the graph was trained on. Others are resampled.");

const audio = z
  .strictObject({
    sampleRate,
    waveform: z
      .strictObject({
        normalize: z
          .boolean()
          .describe("Brings each recording to mean 0 and variance 1, as `do_normalize` does."),
        minSamples: count.describe("The fewest samples that the graph takes."),
        maxSeconds: z
          .number()
          .positive()
          .max(600)
          .default(30)
          .describe("The longest recording. The memory of attention grows with its square."),
      })
      .optional()
      .describe("The samples themselves, [-1, -1], as `Wav2Vec2FeatureExtractor` makes them."),
    fbank: z
      .strictObject({
        bins,
        frames,
        mean: z.number(),
        std: z
          .number()
          .positive()
          .describe("A value becomes `(value − mean) / std`. AST divides by twice its own `std`."),
      })
      .optional()
      .describe(
        "Kaldi's log-mel filter bank, [-1, frames, bins], as `ASTFeatureExtractor` makes it.",
      ),
    logMel: z
      .strictObject({ bins, frames })
      .optional()
      .describe(
        "The log-mel spectrogram at 16 kHz, [-1, bins, frames], as `WhisperFeatureExtractor` makes it.",
      ),
  })
  .refine(
    ({ waveform, fbank, logMel }) =>
      [waveform, fbank, logMel].filter((one) => one !== undefined).length === 1,
    "must have one of waveform, fbank and logMel",
  );

export const audioOptions = {
  audio: audio.describe(
    "How a recording becomes the graph's input: with one of `waveform`, `fbank` and `logMel`.",
  ),
};

export type AudioOptions = z.output<typeof audio>;

export const AUDIO_SCHEMA = {
  type: "string",
  contentEncoding: "base64",
  contentMediaType: "audio/wav",
  description: "A WAV file in base64.",
};
