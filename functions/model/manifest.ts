import * as z from "zod";
import { datatypeNames } from "../tensor.ts";
import { NAME_PATTERN } from "./name.ts";

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

const metric = z.strictObject({
  name: z.string().min(1),
  value: z.number(),
  dataset: z.string(),
  rows: z.number().int().positive().optional(),
});

/** The fields that versions of every task have; a task adds its own. */
export const manifestFields = {
  /** Where editors find the JSON Schema of this file; not read. */
  $schema: z.string().optional(),
  /** Format of this file. */
  schema: z.literal(1),
  name,
  version: name,
  task: z.string(),
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
  /** The features of one input, in order: one packed graph input, or a graph input for each. */
  features: z.array(feature).min(1).optional(),
  labels: z.array(z.string()).min(1).optional(),
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
};

/** What every manifest says; a task's own options are beside it, see {@link ManifestOf}. */
export type Manifest = z.output<z.ZodObject<typeof manifestFields, z.core.$strict>>;
/** A manifest with the options of one task. */
export type ManifestOf<Options extends z.ZodRawShape> = Manifest &
  z.output<z.ZodObject<Options, z.core.$strict>>;
export type TensorInfo = z.output<typeof tensorInfo>;
export type PackageFile = z.output<typeof file>;
export type Feature = z.output<typeof feature>;

/** The schema of the manifests of a task; of one that is not known too, which refuses them. */
export type ManifestSchemaOf = (task: string) => z.ZodType<Manifest>;

/**
 * Reads `model.json`. Fields that begin with `x-` are the publisher's own and are dropped; any other
 * unknown field is refused. Throws an Error with every reason in one message.
 */
export function parseManifest(text: string, schemaOf: ManifestSchemaOf): Manifest {
  const json: unknown = JSON.parse(text);
  if (json === null || typeof json !== "object" || Array.isArray(json))
    throw new Error("It must be a JSON object.");
  const known = Object.fromEntries(Object.entries(json).filter(([key]) => !key.startsWith("x-")));
  const result = schemaOf(String(known["task"])).safeParse(known);
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
  const { $schema: _$schema, schema: _schema, baseline: _baseline, ...visible } = manifest;
  return visible;
}
