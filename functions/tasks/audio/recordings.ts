import { invalidInput, type InputIssue } from "../../errors.ts";
import { bytesOrBase64 } from "../../wire/base64.ts";
import type { Parts, PathOf } from "../define.ts";
import { levelOf, type Heard } from "./quantities.ts";
import { createResampler } from "./resample.ts";
import { createSecondsBudget } from "./seconds-budget.ts";
import { readWav, type Wav } from "./wav.ts";

/** A recording at the model's rate. */
export interface Recording extends Heard {
  samples: Float32Array;
}

interface HearOptions {
  /** Samples a second that the model takes. */
  sampleRate: number;
  /** How long all recordings of the request may last together. */
  maxSeconds: number;
  /** The samples of a recording that the model looks at. All when absent. */
  most?: number | undefined;
  /** The seconds that each recording counts at least. */
  atLeast?: number | undefined;
  /** Whether a recording may have no sound. */
  mayBeEmpty?: boolean;
  /** Throws a RangeError for a recording that the model does not take. */
  check: (wav: Wav) => void;
  pathOf: PathOf;
  sentBytes: number | undefined;
}

/**
 * Decodes WAV files and brings them to the model's rate. `seconds` is what they count together. Throws `invalid_input`
 * with the path of every bad one.
 */
export function* heardRecordings(
  rows: readonly unknown[],
  {
    sampleRate,
    maxSeconds,
    most = Infinity,
    atLeast = 0,
    mayBeEmpty = false,
    check,
    pathOf,
    sentBytes,
  }: HearOptions,
): Parts<{ heard: Recording[]; seconds: number }> {
  const issues: InputIssue[] = [];
  const heard: Recording[] = [];
  const resampler = createResampler(sampleRate);
  // One budget for the whole request: many recordings cost as much as a long one.
  const budget = createSecondsBudget({ maxSeconds, atLeast, sentBytes });
  for (const [index, row] of rows.entries()) {
    if (index > 0) yield;
    try {
      const wav = readWav(bytesOrBase64(row, "a WAV file"), { mayBeEmpty });
      check(wav);
      // It decodes only what the model hears.
      const count = resampler.samplesFor(most, wav.rate);
      budget.take(wav);
      const decoded = yield* wav.decode(count);
      const samples = yield* resampler.resample(decoded, { from: wav.rate, most });
      heard.push({ samples, seconds: wav.length / wav.rate, level: levelOf(samples) });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      issues.push({ path: pathOf(index), message: error.message });
    }
  }
  if (issues.length > 0) throw invalidInput(issues);
  return { heard, seconds: budget.counted };
}
