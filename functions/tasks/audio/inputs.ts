import { invalidInput, type InputIssue } from "../../errors.ts";
import { bytesOrBase64 } from "../../wire/base64.ts";
import { MAX_NUMBERS } from "../check-tensors.ts";
import type { CompiledTask, Parts, PreprocessOptions, Run, TaskVersion } from "../define.ts";
import { fixedFeatures, normalized } from "./features.ts";
import type { FixedFeatures } from "./fixed-features.ts";
import type { audioOptions, AudioOptions } from "./options.ts";
import { audioQuantities, levelOf, type AudioContext } from "./quantities.ts";
import { resample } from "./resample.ts";
import { readWav, type Wav } from "./wav.ts";

/** The most numbers in one run: seven recordings of 1,024 frames in 128 bins. */
const MAX_NUMBERS_PER_RUN = 1_000_000;

/** A recording at the model's rate. */
interface Recording extends AudioContext {
  samples: Float32Array;
}

/**
 * The part that all tasks with sound share: turns recordings into the graph's only input. Throws an Error when the
 * manifest's input cannot hold them.
 */
export function audioInputs({
  manifest,
  limits,
}: TaskVersion<typeof audioOptions>): Pick<CompiledTask, "preprocess"> &
  Required<Pick<CompiledTask, "quantities">> {
  const { audio, inputs } = manifest;
  const fixed = fixedFeatures(audio);
  const size: readonly number[] = fixed?.shape ?? [-1];
  const [input] = inputs;
  if (
    !input ||
    inputs.length > 1 ||
    input.datatype !== "FP32" ||
    String(input.shape.slice(1)) !== String(size)
  )
    throw new Error(`task ${manifest.task} needs one FP32 input of shape [-1, ${size.join(", ")}]`);
  const hear = hearer(audio, fixed);

  return {
    quantities: audioQuantities(),
    *preprocess(rows: readonly unknown[], { pathOf }: PreprocessOptions<unknown>): Parts<Run[]> {
      if (fixed) checkCount(rows.length, fixed);
      const issues: InputIssue[] = [];
      const heard: Recording[] = [];
      // One budget for the whole request: many recordings cost as much as a long one.
      let seconds = 0;
      for (const [index, row] of rows.entries()) {
        if (index > 0) yield;
        try {
          const wav = readWav(bytesOrBase64(row, "a WAV file"));
          seconds += wav.length / wav.rate;
          checkSeconds(seconds, limits.audioSeconds, wav);
          heard.push(hear(wav));
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
          issues.push({ path: pathOf(index), message: error.message });
        }
      }
      if (issues.length > 0) throw invalidInput(issues);
      const runs = fixed
        ? yield* runsOf(heard, fixed, input.name)
        : heard.map((one) => waveformRun(one, audio, input.name));
      const [first] = runs;
      // The count is for the whole request.
      if (first) first.seconds = seconds;
      return runs;
    },
  };
}

function checkCount(count: number, { shape }: FixedFeatures): void {
  const most = Math.max(1, Math.floor(MAX_NUMBERS / (shape[0] * shape[1])));
  if (count > most)
    throw invalidInput([
      {
        path: "inputs",
        message: `must have at most ${most} recordings of the ${shape.join(" × ")} numbers that the model takes, has ${count}`,
      },
    ]);
}

function checkSeconds(all: number, most: number, { length, rate }: Wav): void {
  if (all <= most) return;
  const own = length / rate;
  const before = all > own ? `, and those before it ${shown(all - own)}` : "";
  throw new RangeError(
    `lasts ${shown(own)} seconds${before}; the recordings of a request may last ${most} together (MAX_AUDIO_SECONDS, or the model's limits.audioSeconds): make it shorter`,
  );
}

/** Makes a function that decodes a file at the model's rate, as far as the model hears it. It throws RangeErrors. */
function hearer({ sampleRate, waveform }: AudioOptions, fixed: FixedFeatures | undefined) {
  const most = fixed?.mostSamples ?? Infinity;
  const fewest = waveform?.minSamples ?? fixed?.fewestSamples ?? 1;
  const longest = waveform?.maxSeconds ?? Infinity;
  return (wav: Wav): Recording => {
    const seconds = wav.length / wav.rate;
    if (seconds > longest)
      throw new RangeError(`lasts ${shown(seconds)} seconds; the model takes ${longest}`);
    if (Math.ceil(seconds * sampleRate) < fewest)
      throw new RangeError(
        `lasts ${shown(seconds)} seconds; the model needs ${shown(fewest / sampleRate)}`,
      );
    const samples = resample(wav.decode(), { from: wav.rate, to: sampleRate, most });
    return { samples, seconds, level: levelOf(samples) };
  };
}

function shown(seconds: number): string {
  return String(Number(seconds.toPrecision(4)));
}

/** Recordings of different lengths are never filled up: what is behind them would change the answers. */
function waveformRun(
  { samples, seconds, level }: Recording,
  { waveform }: AudioOptions,
  input: string,
): Run {
  const data = waveform?.normalize ? normalized(samples) : samples;
  return {
    feeds: { [input]: { datatype: "FP32", shape: [1, data.length], data } },
    rows: 1,
    context: [{ seconds, level }] satisfies AudioContext[],
  };
}

function* runsOf(heard: readonly Recording[], fixed: FixedFeatures, input: string): Parts<Run[]> {
  const { shape } = fixed;
  const width = shape[0] * shape[1];
  const step = Math.max(1, Math.floor(MAX_NUMBERS_PER_RUN / width));
  const runs: Run[] = [];
  for (let from = 0; from < heard.length; from += step) {
    const some = heard.slice(from, from + step);
    const data = new Float32Array(some.length * width);
    for (const [index, { samples }] of some.entries()) {
      yield;
      yield* fixed.fill(samples, data.subarray(index * width, (index + 1) * width));
    }
    runs.push({
      feeds: { [input]: { datatype: "FP32", shape: [some.length, ...shape], data } },
      rows: some.length,
      context: some.map(({ seconds, level }) => ({ seconds, level })) satisfies AudioContext[],
    });
  }
  return runs;
}
