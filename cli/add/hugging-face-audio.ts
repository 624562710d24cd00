import { join } from "node:path";
import * as z from "zod";
import type { Graph, TensorInfo } from "../../functions/platform/onnx/graph.ts";
import type { AudioOptions } from "../../functions/tasks/audio/options.ts";
import type { Draft } from "./from-file.ts";
import { checkSettings, only, readJson, rules, type Rule } from "./hugging-face-files.ts";
import { headOf } from "./hugging-face-head.ts";
import type { Config } from "./hugging-face-kind.ts";
import { only as one } from "./only.ts";

type Features = Omit<AudioOptions, "sampleRate">;

const count = z.number().int().positive();

const schema = z.looseObject({
  feature_extractor_type: z.string().nullish(),
  sampling_rate: count.nullish(),
  do_normalize: z.boolean().nullish(),
  num_mel_bins: count.nullish(),
  max_length: count.nullish(),
  mean: z.number().nullish(),
  std: z.number().positive().nullish(),
  feature_size: count.nullish(),
  chunk_length: z.number().positive().nullish(),
});
type Settings = z.infer<typeof schema>;

const RULES: Record<string, Rule> = {
  ...rules("used", ...Object.keys(schema.shape)),
  ...rules("harmless", "processor_class", "_processor_class", "auto_class", "padding_side"),
  // Recordings are never filled up to the length of others, so that no mask is needed.
  ...rules("harmless", "return_attention_mask"),
  // Whisper's are made of chunk_length when they are read.
  ...rules("harmless", "nb_max_frames", "n_samples"),
  padding_value: only(0),
  hop_length: only(160),
  n_fft: only(400),
  dither: only(0),
};

/** A classifier of recordings. Throws an Error that names the file and the setting that the service cannot follow. */
export async function audioDraft(
  folder: string,
  config: Config,
  graph: Graph,
  given: readonly string[] | undefined,
): Promise<Draft> {
  const path = join(folder, "preprocessor_config.json");
  const settings = await readJson(path, schema);
  if (!settings)
    throw new Error(
      `${folder} has no preprocessor_config.json, which says what becomes of a recording. Save the model's feature extractor there.`,
    );
  checkSettings(path, settings, RULES);
  const audio = {
    sampleRate: needed(path, settings, "sampling_rate"),
    ...featuresOf(path, settings, config),
  };
  const input = one(graph.inputs, "one input, with recordings", graph.inputs);
  const { labels, output, activation, regression } = headOf(config, graph, { labels: given });
  if (regression)
    throw new Error(
      `${join(folder, "config.json")}: a regression of sound has no task; add the .onnx file itself, which makes it a tensor model.`,
    );
  const notes =
    activation === "sigmoid"
      ? [
          "config.json says that several labels may be right: scores are sigmoids. transformers' pipeline takes a softmax unless function_to_apply says otherwise.",
        ]
      : [];
  return {
    graph,
    assets: [],
    notes,
    manifest: {
      task: "audio-classification",
      inputs: [{ ...input, shape: shapeOf(path, input, audio) }],
      outputs: [output],
      audio,
      labels,
      scores: { output: output.name, activation },
    },
  };
}

function featuresOf(path: string, settings: Settings, config: Config): Features {
  const { feature_extractor_type: kind } = settings;
  const value = (name: keyof Settings) => needed(path, settings, name);
  if (kind === "Wav2Vec2FeatureExtractor") {
    if ((settings.feature_size ?? 1) !== 1)
      throw new Error(`${path}: "feature_size" may be 1, or absent.`);
    if (settings.do_normalize === undefined || settings.do_normalize === null)
      throw new Error(
        `${path} does not say do_normalize. Save it again with a newer transformers.`,
      );
    const minSamples = fewestSamples(config);
    return { waveform: { normalize: settings.do_normalize, minSamples, maxSeconds: 30 } };
  }
  if (kind === "ASTFeatureExtractor") {
    const isNormalized = settings.do_normalize ?? true;
    return {
      fbank: {
        bins: value("num_mel_bins"),
        frames: value("max_length"),
        mean: isNormalized ? value("mean") : 0,
        // Its own code divides by twice of it.
        std: isNormalized ? 2 * value("std") : 1,
      },
    };
  }
  if (kind === "WhisperFeatureExtractor") {
    if (settings.sampling_rate !== 16_000 || settings.do_normalize)
      throw new Error(
        `${path}: a WhisperFeatureExtractor needs "sampling_rate": 16000, and no do_normalize.`,
      );
    const frames = Math.round(value("chunk_length") * 100);
    return { logMel: { bins: value("feature_size"), frames } };
  }
  throw new Error(
    `${path}: the steps of ${kind ?? "a feature extractor without feature_extractor_type"} are not known to the server, which knows ASTFeatureExtractor, Wav2Vec2FeatureExtractor and WhisperFeatureExtractor; add the .onnx file itself, as a tensor model.`,
  );
}

function needed(path: string, settings: Settings, name: keyof Settings): number {
  const value = settings[name];
  if (typeof value === "number") return value;
  throw new Error(`${path} does not say ${name}. Save it again with a newer transformers.`);
}

const convolutions = z.looseObject({
  conv_kernel: z.array(count).min(1),
  conv_stride: z.array(count).min(1),
  // SEW joins so many steps of its convolutions.
  squeeze_factor: count.nullish(),
});

/** So many samples make one step of the network: its convolutions need them. */
function fewestSamples(config: Config): number {
  const { data, error } = convolutions.safeParse(config);
  if (error || data.conv_kernel.length !== data.conv_stride.length)
    throw new Error(
      "config.json has no conv_kernel and conv_stride of the same length, which say how many samples the network needs; add the .onnx file itself, as a tensor model.",
    );
  return data.conv_kernel.reduceRight(
    (samples, kernel, layer) => (samples - 1) * (data.conv_stride[layer] ?? 1) + kernel,
    data.squeeze_factor ?? 1,
  );
}

/** Optimum leaves sizes free that the features decide. */
function shapeOf(path: string, { name, shape }: TensorInfo, features: Features): number[] {
  const { fbank, logMel } = features;
  const size = fbank ? [fbank.frames, fbank.bins] : logMel ? [logMel.bins, logMel.frames] : [-1];
  const wanted = [shape[0] ?? -1, ...size];
  if (
    shape.length !== wanted.length ||
    shape.some((length, axis) => axis > 0 && length >= 0 && length !== wanted[axis])
  )
    throw new Error(
      `${path} makes [${wanted.join(", ")}] of a recording, but ${name} of the graph is [${shape.join(", ")}].`,
    );
  return wanted;
}
