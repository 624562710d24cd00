import type { Feature, Manifest } from "../model/manifest.ts";

export type JsonSchema = Record<string, unknown>;

/** Schemas of one input, its answer, and the parameters of a model, from its manifest. */
export function modelSchemas(manifest: Manifest) {
  return {
    input: inputSchema(manifest),
    output: outputSchema(manifest),
    parameters: parametersSchema(manifest),
  };
}

function inputSchema(manifest: Manifest): JsonSchema {
  switch (manifest.task) {
    case "tabular-classification":
    case "tabular-regression":
      return featuresSchema(manifest.features ?? []);
    case "text-classification":
    case "feature-extraction":
      return { type: "string", minLength: 1, pattern: "^[^\\u0000]*$", description: "A text." };
    case "image-classification":
      return {
        type: "string",
        contentEncoding: "base64",
        description: "A PNG or JPEG image in base64.",
      };
    case "recommendation":
      return {
        type: "array",
        minItems: 1,
        items: { type: "string" },
        description: "The ids of the items in the basket.",
      };
    case "tensor":
      return {
        type: "object",
        required: manifest.inputs.map(({ name }) => name),
        additionalProperties: false,
        properties: Object.fromEntries(
          manifest.inputs.map(({ name, datatype, shape }) => [
            name,
            { description: `${datatype} [${shape.join(", ")}], as nested arrays` },
          ]),
        ),
      };
  }
}

function featuresSchema(features: readonly Feature[]): JsonSchema {
  return {
    type: "object",
    required: features.map(({ name }) => name),
    additionalProperties: false,
    properties: Object.fromEntries(
      features.map((feature) => [feature.name, featureSchema(feature)]),
    ),
  };
}

function featureSchema({ type, minimum, maximum, unit, description, categories }: Feature) {
  const words = [description, unit && `Unit: ${unit}.`].filter(Boolean).join(" ");
  return {
    type,
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && { maximum }),
    ...(categories && { enum: categories }),
    ...(words && { description: words }),
    ...(unit && { "x-unit": unit }),
  };
}

function outputSchema({ task, labels = [], regression }: Manifest): JsonSchema {
  switch (task) {
    case "tabular-classification":
    case "text-classification":
    case "image-classification":
      return {
        type: "object",
        required: ["label", "score", "scores"],
        properties: {
          label: { type: "string", enum: labels },
          score: { type: "number", description: "The score of the label." },
          scores: {
            type: "object",
            description: "Score by label, highest first.",
            properties: Object.fromEntries(labels.map((label) => [label, { type: "number" }])),
            additionalProperties: false,
          },
        },
      };
    case "tabular-regression":
      return {
        type: "object",
        required: ["value"],
        properties: {
          value: { type: "number" },
          ...(regression?.unit && { unit: { const: regression.unit } }),
        },
      };
    case "feature-extraction":
      return {
        type: "array",
        items: { type: ["number", "array"], items: { type: "number" } },
        description: "The text's vector; without pooling a vector for each token.",
      };
    case "recommendation":
      return {
        type: "array",
        items: {
          type: "object",
          required: ["id", "name", "score"],
          properties: {
            id: { type: "string" },
            name: { type: "string" },
            score: { type: "number" },
          },
        },
      };
    case "tensor":
      return { type: "object", description: "Nested arrays by output name." };
  }
}

function parametersSchema({ task }: Manifest): JsonSchema {
  const hasTopK = task.endsWith("classification") || task === "recommendation";
  const topK = { type: "integer", minimum: 1, description: "How many to answer with at most." };
  return {
    type: "object",
    additionalProperties: false,
    ...(hasTopK && { properties: { top_k: topK } }),
  };
}
