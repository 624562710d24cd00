import { invalidInput } from "../../errors.ts";
import { MAX_NUMBERS } from "../check-tensors.ts";
import type { CompiledTask, Parts, PreprocessOptions, Run, TaskVersion } from "../define.ts";
import { fixedFeatures, normalized } from "./features.ts";
import type { FixedFeatures } from "./fixed-features.ts";
import type { audioOptions, AudioOptions } from "./options.ts";
import { audioQuantities, type Heard } from "./quantities.ts";
import { heardRecordings, type Recording } from "./recordings.ts";
import { shown } from "./seconds-budget.ts";
import type { Wav } from "./wav.ts";

/** The most numbers in one run: seven recordings of 1,024 frames in 128 bins. */
const MAX_NUMBERS_PER_RUN = 1_000_000;

/**
 * The part that all tasks with sound share: turns recordings into the graph's only input. Throws an Error when the
 * manifest's input cannot hold them.
 */
export function audioInputs({
  manifest,
  limits,
}: TaskVersion<typeof audioOptions>): Pick<CompiledTask, "preprocess" | "maxSamples"> &
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
  const check = checker(audio, fixed);

  return {
    quantities: audioQuantities(),
    ...(audio.waveform && { maxSamples: Math.ceil(audio.waveform.maxSeconds * audio.sampleRate) }),
    *preprocess(
      rows: readonly unknown[],
      { pathOf, sentBytes }: PreprocessOptions<unknown>,
    ): Parts<Run[]> {
      if (fixed) checkCount(rows.length, fixed);
      const { heard, seconds } = yield* heardRecordings(rows, {
        sampleRate: audio.sampleRate,
        maxSeconds: limits.audioSeconds,
        most: fixed?.mostSamples,
        atLeast: fixed?.seconds,
        check,
        pathOf,
        sentBytes,
      });
      const runs = yield* fixed
        ? runsOf(heard, fixed, input.name)
        : waveformRuns(heard, audio, input.name);
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

/** Makes a function that throws a RangeError for a recording that the model does not take. */
function checker({ sampleRate, waveform }: AudioOptions, fixed: FixedFeatures | undefined) {
  const fewest = waveform?.minSamples ?? fixed?.fewestSamples ?? 1;
  const longest = waveform?.maxSeconds ?? Infinity;
  return ({ length, rate }: Wav): void => {
    const seconds = length / rate;
    if (seconds > longest)
      throw new RangeError(`lasts ${shown(seconds)} seconds; the model takes ${longest}`);
    if (Math.ceil(seconds * sampleRate) < fewest)
      throw new RangeError(
        `lasts ${shown(seconds)} seconds; the model needs ${shown(fewest / sampleRate)}`,
      );
  };
}

/** Recordings of different lengths are never filled up: what is behind them would change the answers. */
function* waveformRuns(
  heard: readonly Recording[],
  { waveform }: AudioOptions,
  input: string,
): Parts<Run[]> {
  const runs: Run[] = [];
  for (const { samples, seconds, level } of heard) {
    yield;
    const data = waveform?.normalize ? normalized(samples) : samples;
    runs.push({
      feeds: { [input]: { datatype: "FP32", shape: [1, data.length], data } },
      rows: 1,
      context: [{ seconds, level }] satisfies Heard[],
    });
  }
  return runs;
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
      context: some.map(({ seconds, level }) => ({ seconds, level })) satisfies Heard[],
    });
  }
  return runs;
}
