import * as z from "zod";
import { defineTask } from "../define.ts";

export const tensor = defineTask({
  name: "tensor",
  about: "For any graph: tensors by name in, tensors by name out.",
  options: {},
  parameters: z.strictObject({}),
  input: "tensors",
  async compile({ manifest, limits }) {
    const { compile } = await import("./compile.ts");
    return compile(manifest, limits);
  },
  schema: ({ inputs }) => ({
    input: {
      type: "object",
      required: inputs.map(({ name }) => name),
      additionalProperties: false,
      properties: Object.fromEntries(
        inputs.map(({ name, datatype, shape }) => [
          name,
          { description: `${datatype} [${shape.join(", ")}], as nested arrays` },
        ]),
      ),
    },
    output: { type: "object", description: "Nested arrays by output name." },
  }),
  examples: async (manifest) => (await import("./examples.ts")).tensorExamples(manifest),
});
