import * as z from "zod";
import { datatypeNames } from "../tensor.ts";

/** Names of models and versions: one path segment, safe in a URL, an object key and a file name. */
export const NAME_PATTERN = /^[a-z0-9][a-z0-9._-]{0,63}$/i;

const name = z.string().regex(NAME_PATTERN);
const file = z.strictObject({
  file: name,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.number().int().positive(),
});

const limit = z.number().int().positive();

const tensorInfo = z.strictObject({
  name: z.string().min(1),
  datatype: z.enum(datatypeNames),
  /** -1 for a free dimension; the first one is the batch. */
  shape: z.array(z.number().int().min(-1)),
});

const feature = z.strictObject({
  name: z.string().min(1),
  type: z.enum(["number", "integer", "boolean", "string"]),
  description: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  unit: z.string().optional(),
  /** The strings that a string feature may be; any string when absent. */
  categories: z.array(z.string()).min(1).optional(),
});

const channels = z.array(z.number()).min(1).max(3);
const side = z.number().int().positive().max(4096);

/** A pixel (0 to 255) becomes `(pixel × scale − mean) / std`, by channel. */
const image = z.strictObject({
  width: side,
  height: side,
  /**
   * What the image is resized to before its centre, `width` × `height`, is cut out: a size, or how long
   * the shorter edge gets, the ratio kept. Absent: it is resized to `width` × `height`.
   */
  resize: z
    .union([z.strictObject({ shortestEdge: side }), z.strictObject({ width: side, height: side })])
    .optional(),
  color: z.enum(["grayscale", "rgb"]),
  layout: z.enum(["NCHW", "NHWC"]),
  resample: z.enum(["nearest", "bilinear", "bicubic"]),
  scale: z.number().positive(),
  mean: channels,
  std: channels,
});

const metric = z.strictObject({
  name: z.string().min(1),
  value: z.number(),
  dataset: z.string(),
  rows: z.number().int().positive().optional(),
});

const fields = z.strictObject({
  /** Format of this file. */
  schema: z.literal(1),
  name,
  version: name,
  task: z.enum([
    "tabular-classification",
    "tabular-regression",
    "text-classification",
    "image-classification",
    "feature-extraction",
    "recommendation",
    "tensor",
  ]),
  description: z.string(),
  license: z.string().optional(),
  artifact: file.extend({
    /** Weights outside the ONNX file, under the names by which it refers to them. */
    externalData: z.array(file).optional(),
  }),
  /** Further files of the package, such as a tokenizer or a catalogue. */
  assets: z.array(file).optional(),
  inputs: z.array(tensorInfo).min(1),
  outputs: z.array(tensorInfo).min(1),
  /** Tabular tasks: the columns of the one packed input, in order, or an input of its own for each. */
  features: z.array(feature).min(1).optional(),
  labels: z.array(z.string()).min(1).optional(),
  /** Which output holds a number for each label, and what turns it into a score. */
  scores: z
    .strictObject({ output: z.string(), activation: z.enum(["none", "softmax", "sigmoid"]) })
    .optional(),
  /** Which output holds the predicted number. */
  regression: z.strictObject({ output: z.string(), unit: z.string().optional() }).optional(),
  /** Text tasks whose tokenizer is not in the graph; files are assets. */
  text: z
    .strictObject({
      tokenizer: name,
      tokenizerConfig: name.optional(),
      maxLength: z.number().int().positive(),
      /** Feature extraction: how token vectors become one. */
      pooling: z.enum(["mean", "cls", "none"]).optional(),
      /** Feature extraction: whether vectors have length one. */
      normalize: z.boolean().optional(),
    })
    .optional(),
  image: image.optional(),
  /** The asset that lists the items, in the order of the output's columns. */
  recommendation: z.strictObject({ catalogue: name, output: z.string() }).optional(),
  /**
   * How long an answer may be given again for the same inputs. Only for graphs that always compute the
   * same; 0 keeps none, and the deployment's default holds when absent.
   */
  cache: z.strictObject({ ttlSeconds: z.number().int().min(0).max(31_536_000) }).optional(),
  /** Tighter limits than the deployment's own. */
  limits: z
    .strictObject({
      timeoutMs: limit,
      bodyBytes: limit,
      batch: limit,
      textLength: limit,
      imagePixels: limit,
    })
    .partial()
    .optional(),
  /** The access log gets this model's inputs, without the members that are named. */
  logging: z.strictObject({ inputs: z.literal(true), redact: z.array(z.string()) }).optional(),
  /** Inputs with their answers; one without an answer waits for `nearcast verify --record`. */
  examples: z
    .array(z.strictObject({ input: z.unknown(), output: z.unknown().optional() }))
    .default([]),
  metrics: z.array(metric).default([]),
  baseline: z.record(z.string(), z.unknown()).optional(),
});

export type Manifest = z.infer<typeof fields>;
export type TensorInfo = z.infer<typeof tensorInfo>;
export type PackageFile = z.infer<typeof file>;
export type Feature = z.infer<typeof feature>;
export type ImageOptions = z.infer<typeof image>;

/**
 * Reads `model.json`. Fields that begin with `x-` are the publisher's own and are dropped; any other
 * unknown field is refused. Throws an Error with every reason in one message.
 */
export function parseManifest(text: string): Manifest {
  const json: unknown = JSON.parse(text);
  const known =
    json !== null && typeof json === "object"
      ? Object.fromEntries(Object.entries(json).filter(([key]) => !key.startsWith("x-")))
      : json;
  const result = fields.safeParse(known);
  if (!result.success) throw new Error(z.prettifyError(result.error));
  return result.data;
}

/** Every file of the version but the manifest itself: artifact, weights, assets. */
export function packageFiles({ artifact, assets = [] }: Manifest): PackageFile[] {
  const { externalData = [], ...main } = artifact;
  return [main, ...externalData, ...assets];
}

/** What a client may see of a version: all but the publisher's internals. */
export function publicManifest(manifest: Manifest) {
  const { schema: _schema, baseline: _baseline, ...visible } = manifest;
  return visible;
}
