import * as z from "zod";
import { datatypeNames } from "../tensor.ts";
import { baselineSchema } from "./baseline.ts";
import { lookupSchema } from "./feature-lookup.ts";
import { NAME_PATTERN } from "./name.ts";

const name = z.string().regex(NAME_PATTERN);
const file = z.strictObject({
  file: name.describe("Its name, beside the manifest."),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.number().int().positive(),
});

const limit = z.number().int().positive();

const tensorInfo = z.strictObject({
  name: z.string().min(1).describe("The name in the graph."),
  datatype: z.enum(datatypeNames),
  shape: z
    .array(z.number().int().min(-1))
    .describe(
      "-1 is a free dimension. A free first dimension is the batch, unless `batchDimension` is null.",
    ),
});

const inputInfo = tensorInfo
  .extend({
    maxShape: z
      .array(z.number().int().min(-1))
      .optional()
      .describe(
        "The largest size of each dimension in a request, such as `[-1, 480000]` for `[-1, -1]`; -1 sets no limit. Without it, `MAX_POSITION_PAIRS` limits a free dimension that is not the batch, and `text.maxLength` limits that of a tokenizer's inputs.",
      ),
  })
  .refine(({ shape, maxShape }) => !maxShape || maxShape.length === shape.length, {
    path: ["maxShape"],
    error: "must have as many sizes as shape",
  });

const feature = z.strictObject({
  name: z.string().min(1),
  type: z.enum(["number", "integer", "boolean", "string"]),
  description: z.string().optional(),
  minimum: z.number().optional().describe("A number below it is refused."),
  maximum: z.number().optional().describe("A number above it is refused."),
  unit: z.string().optional().describe("Shown in error messages and in the API's description."),
  categories: z
    .array(z.string())
    .min(1)
    .optional()
    .describe("The strings that a string feature may be. Any string when absent."),
  missing: z
    .union([z.number(), z.boolean(), z.string()])
    .optional()
    .describe(
      'The graph\'s value for a missing one: null, absent, `"NaN"` or an empty cell. For numbers: a number, or `"NaN"` if the graph was trained for it. Otherwise: a value of the feature\'s type. When absent, missing values are refused.',
    ),
});

const metric = z.strictObject({
  name: z.string().min(1),
  value: z.number(),
  dataset: z.string().describe("The data for the measurement."),
  rows: z.number().int().positive().optional().describe("The number of rows in that data."),
});

/** The fields of every manifest. A task adds its own. */
export const manifestFields = {
  $schema: z.string().optional().describe("For editors. The service does not read it."),
  schema: z.literal(1).describe("The format of this file."),
  name: name.describe("The model's name: the folder above the version's."),
  version: name.describe("The version's name: its folder."),
  task: z
    .string()
    .describe(
      "The task turns inputs into tensors, and tensors into answers. Each task has fields of its own.",
    ),
  description: z.string().describe("What the model does. Clients see it."),
  license: z.string().optional().describe("The license's name, such as `Apache-2.0`."),
  artifact: file
    .extend({
      externalData: z
        .array(file)
        .optional()
        .describe("Weights outside the ONNX file. The ONNX file refers to them by these names."),
      sessionBytes: z
        .number()
        .int()
        .positive()
        .optional()
        .describe(
          "Bytes of memory that a session holds on native ONNX Runtime, for `SESSION_BUDGET_MB`. `nearcast verify --record` measures them. Without it they are estimated.",
        ),
      wasmBytes: z
        .number()
        .int()
        .positive()
        .optional()
        .describe(
          "Bytes of WASM memory after the version was loaded and has answered its examples. `nearcast verify --record` measures them. A Worker with `SPILL_URL` decides by them whether the version fits. Without it they are estimated.",
        ),
      peakBytes: z
        .number()
        .int()
        .positive()
        .optional()
        .describe(
          "Bytes of memory that a process took at most, while it loaded the version on native ONNX Runtime and answered its examples. A Node server or function with less refuses the version. `nearcast verify --record` measures them and writes them from 128 MiB on.",
        ),
    })
    .describe("The ONNX (or ORT) file."),
  assets: z
    .array(file)
    .optional()
    .describe("Further files of the version, such as a tokenizer or a catalogue."),
  inputs: z.array(inputInfo).min(1).describe("The graph's inputs."),
  outputs: z.array(tensorInfo).min(1).describe("The graph's outputs."),
  batchDimension: z
    .union([z.literal(0), z.null()])
    .optional()
    .describe(
      "Task `tensor`: 0 (the default) when a free first dimension is the batch. null when it is not, such as the frames of a sound. Limits and rates count the batch as rows. `zero-shot-image-classification` needs null.",
    ),
  features: z
    .array(feature)
    .min(1)
    .optional()
    .describe(
      "Tabular tasks: the features of one input, in order. The graph has one input for all features, one for each feature by its name, or a few that take them in order.",
    ),
  lookup: lookupSchema
    .optional()
    .describe(
      "Features that the service looks up by the keys that an input has, where the input does not have them ([features](features.md)).",
    ),
  labels: z
    .array(z.string())
    .min(1)
    .superRefine((labels, context) => {
      const message = repeatedLabel(labels);
      if (message) context.addIssue({ code: "custom", message });
    })
    .optional()
    .describe("Classification: the labels, in the order of the scores. All are different."),
  browser: z
    .literal(true)
    .optional()
    .describe(
      "Gives the version's files to pages, which then run it themselves: whoever may ask for predictions may download the weights. When absent, they are never sent.",
    ),
  cache: z
    .strictObject({
      ttlSeconds: z
        .number()
        .int()
        .min(0)
        .max(31_536_000)
        .describe("How long answers are kept for the same inputs. 0 keeps none."),
    })
    .optional()
    .describe(
      "Only for graphs that always compute the same answer for the same inputs. When absent, the deployment's `PREDICTION_CACHE_TTL_SECONDS` holds.",
    ),
  limits: z
    .strictObject({
      timeoutMs: limit.describe("Longest time for one request, in milliseconds."),
      bodyBytes: limit.describe("Bytes of a request's body."),
      batch: limit.describe("Inputs in one request."),
      textLength: limit.describe("Characters of one text."),
      imagePixels: limit.describe("Decoded pixels of a request's images."),
      audioSeconds: limit.describe("Seconds that a request's recordings last together."),
      elements: limit.describe("Elements of a request's tensors."),
      positionPairs: limit.describe(
        "Rows × the square of the longest free dimension besides the batch, without `maxShape`.",
      ),
      answerBytes: limit.describe("Bytes of an answer."),
    })
    .partial()
    .optional()
    .describe("Limits below the deployment's own."),
  logging: z
    .strictObject({
      inputs: z.literal(true),
      redact: z.array(z.string()).describe("Members of the inputs that are left out."),
    })
    .optional()
    .describe("Writes this model's inputs to the access log."),
  capture: z
    .strictObject({
      rate: z
        .number()
        .gt(0)
        .max(1)
        .describe("The share of calls that are kept. A hash of the request's id decides."),
      redact: z
        .array(z.string().min(1))
        .describe(
          "What is left out of inputs: features, `text`, `text_pair`, `image`, `audio`, tensors, or members of JSON, by name. Answers are kept whole, but without labels where `candidate_labels` are left out.",
        ),
      redactPatterns: z
        .array(z.enum(["email", "phone", "card", "iban", "ip", "secret", "number"]))
        .optional()
        .describe(
          "What is replaced in the texts of inputs: email addresses, telephone numbers as they are usually written, numbers of payment cards and bank accounts (IBAN) with a right check sum, IP addresses, secrets (passwords and tokens in addresses, after their names or in the form of known services), and all numbers of seven digits or more.",
        ),
      retentionDays: z
        .number()
        .int()
        .min(1)
        .max(365)
        .describe("How many days they are kept. They are removed on the day after."),
      subject: z
        .string()
        .min(1)
        .optional()
        .describe(
          "The feature, or member of JSON, that says whose data an input is, for `nearcast forget --subject`. It is kept as a digest. When absent: the request's `X-Nearcast-Key`, else the caller.",
        ),
    })
    .optional()
    .describe(
      "Keeps inputs and answers of a share of the calls in the store, for `nearcast dataset`. Nothing is kept when absent.",
    ),
  examples: z
    .array(z.strictObject({ input: z.unknown(), output: z.unknown().optional() }))
    .default([])
    .describe(
      "Inputs with their answers, checked by `nearcast verify`. `nearcast verify --record` adds missing answers. Large examples are in `examplesFile`.",
    ),
  examplesFile: file
    .extend({
      tensors: z
        .array(file)
        .optional()
        .describe(
          'NumPy files. The lines refer to them, such as `{"$npy": "example-1-input-1.npy"}`.',
        ),
    })
    .optional()
    .describe(
      'Further examples, too large for this file: `examples.jsonl`, a line `{"input": …, "output": …}` for each.',
    ),
  metrics: z
    .array(metric)
    .default([])
    .describe("Measured metrics of the version. The first is the main one."),
  feedback: z
    .strictObject({
      keptSeconds: z
        .number()
        .int()
        .min(60)
        .max(2_592_000)
        .describe("How long a prediction is kept for its outcome, in seconds. At most 30 days."),
      calibrated: z
        .literal(true)
        .optional()
        .describe(
          "Classification: the scores are calibrated, so that their mean is an estimate of the accuracy. Only say so if it was measured.",
        ),
    })
    .optional()
    .describe(
      "Keeps predictions (labels or numbers, no inputs) by request id, so that `POST /v1/feedback` can compare them with what really happened.",
    ),
  baseline: baselineSchema
    .optional()
    .describe(
      "How inputs and answers were distributed in training, in fixed bins, for `nearcast drift`. `nearcast baseline` writes it. With it, the service counts its calls into the same bins. Clients do not see it.",
    ),
};

/** Names a label that is there twice. Answers have scores by label, so that the two could not be told apart. */
export function repeatedLabel(labels: readonly string[]): string | undefined {
  const index = labels.findIndex((label, at) => labels.indexOf(label) !== at);
  const label = labels[index];
  return label === undefined
    ? undefined
    : `labels ${labels.indexOf(label)} and ${index} are both ${JSON.stringify(label)}; give each its own name`;
}

/** The fields that all manifests have. {@link ManifestOf} adds a task's own options. */
export type Manifest = z.output<z.ZodObject<typeof manifestFields, z.core.$strict>>;
/** A manifest with the options of one task. */
export type ManifestOf<Options extends z.ZodRawShape> = Manifest &
  z.output<z.ZodObject<Options, z.core.$strict>>;
export type TensorInfo = z.output<typeof tensorInfo>;
export type InputInfo = z.output<typeof inputInfo>;
export type PackageFile = z.output<typeof file>;
export type Feature = z.output<typeof feature>;

/**
 * Most bytes of `model.json`. A hundred thousand labels take 2 MiB. Larger examples are in files of their own.
 */
export const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

/** Gives the schema of a task's manifests. For an unknown task, a schema that refuses them. */
export type ManifestSchemaOf = (task: string) => z.ZodType<Manifest>;

/**
 * Reads `model.json`. Drops fields that begin with `x-`: they are the publisher's own. Refuses any other unknown field.
 * Throws an Error with all reasons in one message.
 */
export function parseManifest(text: string, schemaOf: ManifestSchemaOf): Manifest {
  const json = parseJson(text);
  if (json === null || typeof json !== "object" || Array.isArray(json))
    throw new Error("It must be a JSON object.");
  const known = Object.fromEntries(Object.entries(json).filter(([key]) => !key.startsWith("x-")));
  // Compiling a schema takes longer than reading a few manifests without, and a thousand are read as fast.
  const result = schemaOf(String(known["task"])).safeParse(known, { jitless: true });
  if (!result.success) throw new Error(z.prettifyError(result.error));
  return result.data;
}

/** Whether the first dimension of a tensor is the number of rows. */
export function isBatched(
  { batchDimension }: Pick<Manifest, "batchDimension">,
  { shape }: TensorInfo,
): boolean {
  return shape[0] === -1 && batchDimension !== null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`It is not JSON: ${(cause as Error).message}.`, { cause });
  }
}

/** All files of the version but the manifest itself: artifact, weights, assets, examples. */
export function packageFiles(manifest: Manifest): PackageFile[] {
  return [...servedFiles(manifest), ...exampleFiles(manifest)];
}

/** The files that answering needs: artifact, weights, assets. */
export function servedFiles({ artifact, assets = [] }: Manifest): PackageFile[] {
  const { externalData = [], ...main } = artifact;
  return [main, ...externalData, ...assets];
}

/** The files with examples. No prediction reads them. */
export function exampleFiles({ examplesFile }: Manifest): PackageFile[] {
  if (!examplesFile) return [];
  const { tensors = [], ...lines } = examplesFile;
  return [lines, ...tensors];
}

/** The part of a manifest that clients may see: all but the publisher's internals. */
export function publicManifest(manifest: Manifest) {
  const { $schema: _$schema, schema: _schema, baseline: _baseline, ...visible } = manifest;
  return visible;
}
