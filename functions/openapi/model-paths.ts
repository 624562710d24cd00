import type { ReleasedModel } from "../model/released-models.ts";
import { modelSchemas, type JsonSchema } from "./model-schemas.ts";
import { json, operation, ref } from "./operation.ts";

const IMAGE_TYPES = ["image/png", "image/jpeg"] as const;

/** The native predict route of one released model, with the schemas that its manifest gives. */
export function modelPath({ manifest }: ReleasedModel) {
  const { name, version, task, description } = manifest;
  const { input, output, parameters } = schemaNames(name);
  const [example] = manifest.examples;
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
    ...(task === "image-classification" &&
      Object.fromEntries(IMAGE_TYPES.map((type) => [type, { schema: {} }]))),
  };
  const answer = {
    type: "object",
    required: ["model", "version", "outputs"],
    properties: {
      model: { const: name },
      version: { type: "string" },
      outputs: { anyOf: [ref(output), { type: "array", items: ref(output) }] },
    },
  };
  const answered = example && { model: name, version, outputs: example.output };
  return {
    [`/v1/models/${name}/predict`]: {
      post: operation(`predict ${name}`, {
        tag: "Predict",
        summary: `${task}: ${name}, version ${version}`,
        description,
        body: content,
        answer: { description: "The prediction.", content: json(answer, answered) },
      }),
    },
  };
}

/** The schemas of one model, by the names under which its path refers to them. */
export function modelComponents({ manifest }: ReleasedModel): Record<string, JsonSchema> {
  const names = schemaNames(manifest.name);
  const schemas = modelSchemas(manifest);
  const [example] = manifest.examples;
  return {
    [names.input]: { ...schemas.input, ...(example && { examples: [example.input] }) },
    [names.output]: schemas.output,
    [names.parameters]: schemas.parameters,
  };
}

function schemaNames(name: string) {
  return { input: `${name}.input`, output: `${name}.output`, parameters: `${name}.parameters` };
}

function oneOrMany(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: "array", minItems: 1, items: schema }] };
}
