import * as z from "zod";
import { sampleRate } from "../audio/options.ts";
import { stateOption, stateParameters } from "../state/options.ts";

const samples = z.number().int().max(65_536);

export const voiceOptions = {
  voice: z
    .strictObject({
      sampleRate,
      window: samples
        .min(64)
        .describe("Samples of a window: the graph gives one probability of speech for each."),
      context: samples
        .min(0)
        .default(0)
        .describe("How many samples before each window the graph gets too, in front of it."),
      windowsAtOnce: z
        .number()
        .int()
        .min(1)
        .max(1024)
        .default(1)
        .describe(
          "How many windows that follow each other the graph takes in one run, in its first dimension. Of most graphs it is a batch of recordings: 1.",
        ),
    })
    .describe(
      "How a recording is cut for the graph. One FP32 input takes [windows, context + window] samples. An input of INT64 or INT32 gets `sampleRate`. All other inputs are in `state`, and `batchDimension` is null.",
    ),
  state: stateOption,
};

/** The field `voice` as it is written in a manifest. */
export type VoiceSettings = z.input<typeof voiceOptions.voice>;

const milliseconds = z.number().int().min(0);
const probability = z.number().min(0).max(1);

export const voiceParameters = z.strictObject({
  threshold: probability
    .default(0.5)
    .describe("Speech begins at a window of this probability or a higher one."),
  neg_threshold: probability
    .optional()
    .describe(
      "It ends at windows below this probability. When absent: 0.15 below `threshold`, and at least 0.01.",
    ),
  min_speech_duration_ms: milliseconds
    .max(60_000)
    .default(250)
    .describe("Speech that is not longer than this is left out."),
  min_silence_duration_ms: milliseconds
    .max(60_000)
    .default(100)
    .describe("Speech goes on over silence that is shorter than this."),
  speech_pad_ms: milliseconds
    .max(10_000)
    .default(30)
    .describe("How much sound before and after it each segment gets too."),
  return_probabilities: z
    .boolean()
    .default(false)
    .describe("Whether the answer has the probability of each window."),
  ...stateParameters,
});

export type VoiceParameters = z.output<typeof voiceParameters>;
