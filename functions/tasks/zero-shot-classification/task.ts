import { defineTask } from "../define.ts";
import { TEXT_SCHEMA } from "../text/options.ts";
import { SCORED_LABELS } from "./answers.ts";
import { zeroShotOptions, zeroShotParameters } from "./options.ts";

export const zeroShotClassification = defineTask({
  name: "zero-shot-classification",
  about:
    "A text and labels of the caller's choice in, the labels with their scores out: models that tell whether one sentence follows from another (NLI).",
  options: zeroShotOptions,
  parameters: zeroShotParameters,
  input: "json",
  async compile({ manifest, limits, assets }) {
    const { compile } = await import("./compile.ts");
    return compile(manifest, limits, assets);
  },
  schema: () => ({
    input: {
      anyOf: [
        TEXT_SCHEMA,
        {
          type: "object",
          description: "A text with labels of its own.",
          required: ["text", "candidate_labels"],
          properties: {
            text: TEXT_SCHEMA,
            candidate_labels: { type: "array", minItems: 1, items: { type: "string" } },
          },
          additionalProperties: false,
        },
      ],
    },
    output: SCORED_LABELS,
  }),
  examples: () => [
    {
      text: "The battery is empty after an hour.",
      candidate_labels: ["a complaint", "praise", "a question"],
    },
  ],
  async quality() {
    const { zeroShotQuality } = await import("./quality.ts");
    return zeroShotQuality();
  },
});
