import { featureStatusSchema, featureSummarySchema } from "../features/status.ts";
import type { Manifest } from "../model/manifest.ts";
import type { ReleasedModel } from "../model/released-models.ts";
import { shownDescription } from "../model/shown.ts";
import type { InputKind, JsonSchema } from "../tasks/define.ts";
import { query } from "./file-paths.ts";
import { json, operation, ref } from "./operation.ts";
import { schemaOf } from "./schema.ts";
import { isShortExample, smallSchema } from "./small.ts";

const EACH = query(
  "features",
  "With `each`, `features` of an answer for several inputs is an array: where the features of each are from.",
  { const: "each" },
);

/** What else a body may be, by the kind of input. */
const FILE_TYPES: Readonly<Partial<Record<InputKind, readonly string[]>>> = {
  image: ["image/jpeg", "image/png", "image/webp"],
  audio: ["audio/wav", "audio/l16;rate=16000", "audio/pcm;rate=16000"],
};

/** The native predict route of one released model, with the schemas that its manifest gives. */
export function modelPath({ manifest, task }: ReleasedModel) {
  const { name, version, description } = manifest;
  const { input, output, parameters } = schemaNames(name);
  const example = shortExample(manifest);
  const content = {
    "application/json": {
      schema: {
        type: "object",
        required: ["inputs"],
        additionalProperties: false,
        properties: { inputs: oneOrMany(ref(input)), parameters: ref(parameters) },
      },
      ...(example && { example: { inputs: example.input } }),
    },
    ...Object.fromEntries((FILE_TYPES[task.input] ?? []).map((type) => [type, { schema: {} }])),
  };
  const answer = {
    type: "object",
    required: ["model", "version", "outputs"],
    properties: {
      model: { const: name },
      version: { type: "string" },
      outputs: { anyOf: [ref(output), { type: "array", items: ref(output) }] },
      ...(manifest.lookup && { features: statusesSchema(manifest.lookup) }),
    },
  };
  const answered = isShortExample(example?.output)
    ? { model: name, version, outputs: example?.output }
    : undefined;
  return {
    [`/v1/models/${name}/predict`]: {
      post: operation(`predict ${name}`, {
        tag: "Predict",
        summary: `${task.name}: ${name}, version ${version}`,
        description: shownDescription(description),
        body: content,
        ...(manifest.lookup && { parameters: [EACH] }),
        assigned: true,
        answer: { description: "The prediction.", content: json(answer, answered) },
      }),
    },
  };
}

/** Where looked-up features are from, by name: of one input, of all together, or of each. */
function statusesSchema({ features }: NonNullable<Manifest["lookup"]>): JsonSchema {
  const byName = (schema: JsonSchema) => ({
    type: "object",
    properties: Object.fromEntries(features.map(({ name }) => [name, schema])),
  });
  const one = byName(schemaOf(featureStatusSchema));
  return { anyOf: [one, byName(schemaOf(featureSummarySchema)), { type: "array", items: one }] };
}

/** The schemas of one model, by the names in its path. */
export function modelComponents({ manifest, task }: ReleasedModel): Record<string, JsonSchema> {
  const names = schemaNames(manifest.name);
  const { input, output } = task.schema(manifest);
  const example = shortExample(manifest);
  return {
    [names.input]: {
      ...smallSchema(input, manifest.name),
      ...(example && { examples: [example.input] }),
    },
    [names.output]: smallSchema(output, manifest.name),
    [names.parameters]: schemaOf(task.parameters),
  };
}

/** The first example with an input that is short enough to show. */
function shortExample({ examples }: Manifest): Manifest["examples"][number] | undefined {
  return examples.find(({ input }) => isShortExample(input));
}

function schemaNames(name: string) {
  return { input: `${name}.input`, output: `${name}.output`, parameters: `${name}.parameters` };
}

function oneOrMany(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: "array", minItems: 1, items: schema }] };
}
