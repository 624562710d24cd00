import { defineTask } from "../define.ts";
import { TEXT_SCHEMA } from "../text/options.ts";
import { fillMaskOptions, fillMaskParameters } from "./options.ts";

export const fillMask = defineTask({
  name: "fill-mask",
  about:
    "A text with a mask (`[MASK]` or `<mask>`, as the model has it) in, the likeliest tokens in its place out. With several masks, an array of them for each.",
  options: fillMaskOptions,
  parameters: fillMaskParameters,
  input: "text",
  async compile({ manifest, limits, assets }) {
    const { compile } = await import("./compile.ts");
    return compile(manifest, limits, assets);
  },
  schema: () => {
    const filled = {
      type: "object",
      required: ["score", "token", "token_str", "sequence"],
      properties: {
        score: { type: "number" },
        token: { type: "integer", description: "The token's number in the vocabulary." },
        token_str: { type: "string" },
        sequence: {
          type: "string",
          description: "The text with the token, as the model reads it.",
        },
      },
    };
    return {
      input: TEXT_SCHEMA,
      output: {
        type: "array",
        description: "The tokens, likeliest first. With several masks, an array for each.",
        items: { anyOf: [filled, { type: "array", items: filled }] },
      },
    };
  },
  examples: ({ fill: { mask } }) => [`This is the first ${mask}.`, `Café ${mask} vu 👍`],
  async quality(_manifest, { k }) {
    const { filledQuality } = await import("./quality.ts");
    return filledQuality(k);
  },
});
