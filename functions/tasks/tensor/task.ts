import { defineTask } from "../define.ts";
import { tensorOptions, tensorParameters } from "./options.ts";

export const tensor = defineTask({
  name: "tensor",
  about: "For any graph: tensors by name in, tensors by name out.",
  options: tensorOptions,
  parameters: tensorParameters,
  input: "tensors",
  carriesState: true,
  async compile({ manifest, limits }) {
    const { compile } = await import("./compile.ts");
    return compile(manifest, limits);
  },
  schema: ({ inputs, state = {} }) => ({
    input: {
      type: "object",
      required: inputs.map(({ name }) => name).filter((name) => !Object.hasOwn(state, name)),
      additionalProperties: false,
      properties: Object.fromEntries(
        inputs.map(({ name, datatype, shape }) => [
          name,
          { description: `${datatype} [${shape.join(", ")}], as nested arrays` },
        ]),
      ),
    },
    output: {
      type: "object",
      description:
        "Nested arrays by output name. With `return_state`, `state` instead of those of it.",
    },
  }),
  examples: async (manifest) => (await import("./examples.ts")).tensorExamples(manifest),
});
