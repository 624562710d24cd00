import type { ManifestOf } from "../../model/manifest.ts";
import type { Tensor, Tensors } from "../../tensor.ts";
import type { Carried } from "../state/carried.ts";
import { carriedTensors, firstShape } from "../state/carried-tensors.ts";
import type { voiceOptions } from "./options.ts";

/** How a graph hears sound. */
export interface VoiceGraph {
  /** The input that gets windows of samples. */
  samples: string;
  /** The output with a probability of speech for each window. */
  probability: string;
  /** The state: its input, and the output that it is for the next step. */
  pairs: readonly (readonly [input: string, output: string])[];
  /** What the tensors of the state are, in the order of `pairs`. */
  carried: readonly Carried[];
  /** The state before the first window. */
  begin(): Tensors;
  /** Inputs that are always the same. */
  constant: Tensors;
}

/** Throws an Error where the manifest's inputs and outputs are not those of such a graph. */
export function voiceGraph(manifest: ManifestOf<typeof voiceOptions>): VoiceGraph {
  const { inputs, outputs, voice, state, task } = manifest;
  const { pairs, carried, begin } = carriedTensors(manifest, state);
  const taken = new Set(Object.keys(state));
  const given = new Set(Object.values(state));
  const others = inputs.filter(({ name }) => !taken.has(name));
  const width = voice.context + voice.window;
  const isWindows = (shape: readonly number[]) =>
    shape.length === 2 &&
    // The last windows of a recording are fewer than all before.
    (shape[0] === -1 || (shape[0] === 1 && voice.windowsAtOnce === 1)) &&
    (shape[1] === -1 || shape[1] === width);
  const sound = others.filter(({ datatype }) => datatype === "FP32");
  const rates = others.filter(({ datatype }) => datatype === "INT64" || datatype === "INT32");
  const [samples] = sound;
  if (
    !samples ||
    sound.length > 1 ||
    rates.length > 1 ||
    others.length > sound.length + rates.length ||
    !isWindows(samples.shape)
  )
    throw new Error(
      `task ${task} needs, besides those of state, one FP32 input of shape [-1, ${width}], and at most one of INT64 or INT32 for the rate`,
    );
  const [rate] = rates;
  if (rate && (rate.shape.length > 1 || (rate.shape[0] ?? 1) > 1))
    throw new Error(`task ${task} needs one number as ${rate.name}`);
  const answers = outputs.filter(({ name }) => !given.has(name));
  const [probability] = answers;
  if (!probability || answers.length > 1 || !/^FP(16|32|64)$/.test(probability.datatype))
    throw new Error(
      `task ${task} needs, besides those of state, one output of floats: the probabilities`,
    );
  return {
    samples: samples.name,
    probability: probability.name,
    pairs,
    // The windows of a recording are one stream: a state never gets another shape than its first.
    carried: carried.map((one) => ({ ...one, shape: firstShape(one) })),
    begin,
    constant: rate ? { [rate.name]: rateTensor(rate, voice.sampleRate) } : {},
  };
}

function rateTensor(
  { datatype, shape }: Pick<Tensor, "datatype" | "shape">,
  sampleRate: number,
): Tensor {
  return {
    datatype,
    shape: shape.map(() => 1),
    data: datatype === "INT64" ? BigInt64Array.of(BigInt(sampleRate)) : Int32Array.of(sampleRate),
  };
}
