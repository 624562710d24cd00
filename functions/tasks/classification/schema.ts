import type { JsonSchema } from "../define.ts";
import { hasIndependentLabels, isOneSided, type ClassificationManifest } from "./options.ts";

/** The answer of a classification, for the API's description. */
export function classificationSchema(manifest: ClassificationManifest): JsonSchema {
  const { labels = [], scores } = manifest;
  const independent = hasIndependentLabels(manifest);
  const properties: Record<string, JsonSchema> = {
    ...((scores || !independent) && {
      label: {
        type: "string",
        enum: labels,
        ...(independent && { description: "The label with the highest score." }),
      },
    }),
    ...(independent && {
      labels: {
        type: "array",
        items: { type: "string", enum: labels },
        description: "The labels that are there, each independent of the others.",
      },
    }),
    ...scoreProperties(manifest),
  };
  return { type: "object", required: Object.keys(properties), properties };
}

function scoreProperties(manifest: ClassificationManifest): Record<string, JsonSchema> {
  const { labels = [], scores } = manifest;
  if (!scores) return {};
  if (scores.kind !== "decision-values")
    return {
      score: { type: "number", description: "The score of the label." },
      scores: numbersByLabel("Score by label, highest first.", labels),
    };
  return {
    decision_values: isOneSided(manifest)
      ? numbersByLabel(
          `The model's decision value, not a probability: above 0 for ${labels[1]}.`,
          labels.slice(1),
        )
      : numbersByLabel(
          "Decision values by label, highest first. They are not probabilities.",
          labels,
        ),
  };
}

function numbersByLabel(description: string, labels: readonly string[]): JsonSchema {
  return {
    type: "object",
    description,
    properties: Object.fromEntries(labels.map((label) => [label, { type: "number" }])),
    additionalProperties: false,
  };
}
