import * as z from "zod";
import { datatypeNames } from "../tensor.ts";
import { NAME_PATTERN } from "./name.ts";

const name = z.string().regex(NAME_PATTERN);
const file = z.strictObject({
  file: name.describe("Its name, beside the manifest."),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.number().int().positive(),
});

const limit = z.number().int().positive();

const tensorInfo = z.strictObject({
  name: z.string().min(1).describe("As the graph has it."),
  datatype: z.enum(datatypeNames),
  shape: z
    .array(z.number().int().min(-1))
    .describe("-1 is a free dimension. A first one is the batch, if `batchDimension` is not null."),
});

const inputInfo = tensorInfo
  .extend({
    maxShape: z
      .array(z.number().int().min(-1))
      .optional()
      .describe(
        "The most that each dimension of a request may be, such as `[-1, 480000]` for `[-1, -1]`; -1 says nothing. A free dimension without it, which is not the batch, falls under `MAX_POSITION_PAIRS`, and that of a tokenizer's inputs under `text.maxLength`.",
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
      'What the graph gets for a value that is missing: null, absent, `"NaN"` or an empty cell. For numbers `"NaN"`, if the graph was trained for it, or a number; else a value of the feature\'s type. A missing value is refused when absent.',
    ),
});

const metric = z.strictObject({
  name: z.string().min(1),
  value: z.number(),
  dataset: z.string().describe("What it was measured on."),
  rows: z.number().int().positive().optional().describe("How many rows that data has."),
});

/** The fields that versions of every task have; a task adds its own. */
export const manifestFields = {
  $schema: z.string().optional().describe("For editors. The service does not read it."),
  schema: z.literal(1).describe("The format of this file."),
  name: name.describe("The model's name: the folder above the version's."),
  version: name.describe("The version's name: its folder."),
  task: z
    .string()
    .describe(
      "What turns inputs into tensors and tensors into answers. Each task has fields of its own.",
    ),
  description: z.string().describe("What the model does. Clients see it."),
  license: z.string().optional().describe("Such as `Apache-2.0`."),
  artifact: file
    .extend({
      externalData: z
        .array(file)
        .optional()
        .describe("Weights outside the ONNX file, under the names that it uses for them."),
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
      "Task `tensor`: 0 when a free first dimension is the batch, as when absent. null when it is none, such as the frames of a sound: then it is no number of rows, which limits and rates count.",
    ),
  features: z
    .array(feature)
    .min(1)
    .optional()
    .describe(
      "Tabular tasks: the features of one input, in order. The graph has one input for all of them, one for each, by its name, or a few that take them in order.",
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
  cache: z
    .strictObject({
      ttlSeconds: z
        .number()
        .int()
        .min(0)
        .max(31_536_000)
        .describe("How long the same inputs get the same answer again. 0 keeps no answers."),
    })
    .optional()
    .describe(
      "Only for graphs that always compute the same. Without it the deployment's `PREDICTION_CACHE_TTL_SECONDS` holds.",
    ),
  limits: z
    .strictObject({
      timeoutMs: limit.describe("Longest time for one request, in milliseconds."),
      bodyBytes: limit.describe("Bytes of a request's body."),
      batch: limit.describe("Inputs in one request."),
      textLength: limit.describe("Characters of one text."),
      imagePixels: limit.describe("Pixels that the images of a request may decode to."),
      elements: limit.describe("Elements of a request's tensors."),
      positionPairs: limit.describe(
        "Rows × the square of the longest free dimension besides the batch, without `maxShape`.",
      ),
      answerBytes: limit.describe("Bytes of an answer."),
    })
    .partial()
    .optional()
    .describe("Lower limits than the deployment's own."),
  logging: z
    .strictObject({
      inputs: z.literal(true),
      redact: z.array(z.string()).describe("Members of the inputs that are left out."),
    })
    .optional()
    .describe("Writes this model's inputs to the access log."),
  examples: z
    .array(z.strictObject({ input: z.unknown(), output: z.unknown().optional() }))
    .default([])
    .describe(
      "Inputs with their answers, checked by `nearcast verify`. `nearcast verify --record` adds missing answers. Large ones lie in `examplesFile`.",
    ),
  examplesFile: file
    .extend({
      tensors: z
        .array(file)
        .optional()
        .describe('NumPy files that the lines name, as `{"$npy": "example-1-input-1.npy"}`.'),
    })
    .optional()
    .describe(
      'Further examples, too large for this file: `examples.jsonl`, a line `{"input": …, "output": …}` for each.',
    ),
  metrics: z
    .array(metric)
    .default([])
    .describe("How good the version is. The first is the main one."),
  baseline: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("What the training data looked like. Clients do not see it."),
};

/** Says which label is there twice: answers have scores by label, which could not tell the two apart. */
export function repeatedLabel(labels: readonly string[]): string | undefined {
  const index = labels.findIndex((label, at) => labels.indexOf(label) !== at);
  const label = labels[index];
  return label === undefined
    ? undefined
    : `labels ${labels.indexOf(label)} and ${index} are both ${JSON.stringify(label)}; give each its own name`;
}

/** What every manifest says; a task's own options are beside it, see {@link ManifestOf}. */
export type Manifest = z.output<z.ZodObject<typeof manifestFields, z.core.$strict>>;
/** A manifest with the options of one task. */
export type ManifestOf<Options extends z.ZodRawShape> = Manifest &
  z.output<z.ZodObject<Options, z.core.$strict>>;
export type TensorInfo = z.output<typeof tensorInfo>;
export type InputInfo = z.output<typeof inputInfo>;
export type PackageFile = z.output<typeof file>;
export type Feature = z.output<typeof feature>;

/** The schema of the manifests of a task; of one that is not known too, which refuses them. */
export type ManifestSchemaOf = (task: string) => z.ZodType<Manifest>;

/**
 * Reads `model.json`. Fields that begin with `x-` are the publisher's own and are dropped; any other
 * unknown field is refused. Throws an Error with every reason in one message.
 */
export function parseManifest(text: string, schemaOf: ManifestSchemaOf): Manifest {
  const json = parseJson(text);
  if (json === null || typeof json !== "object" || Array.isArray(json))
    throw new Error("It must be a JSON object.");
  const known = Object.fromEntries(Object.entries(json).filter(([key]) => !key.startsWith("x-")));
  const result = schemaOf(String(known["task"])).safeParse(known);
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

/** Every file of the version but the manifest itself: artifact, weights, assets, examples. */
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

/** What a client may see of a version: all but the publisher's internals. */
export function publicManifest(manifest: Manifest) {
  const { $schema: _$schema, schema: _schema, baseline: _baseline, ...visible } = manifest;
  return visible;
}
