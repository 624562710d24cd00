import { defineTask } from "../define.ts";
import { questionAnsweringOptions, questionAnsweringParameters } from "./options.ts";

export const questionAnswering = defineTask({
  name: "question-answering",
  about:
    "A question and a text in, the parts of the text that answer it out. `start` and `end` count Unicode characters, as Python and Hugging Face do. A long text is read in parts.",
  options: questionAnsweringOptions,
  parameters: questionAnsweringParameters,
  input: "json",
  async compile({ manifest, limits, assets }) {
    const { compile } = await import("./compile.ts");
    return compile(manifest, limits, assets);
  },
  schema: () => ({
    input: {
      type: "object",
      required: ["question", "context"],
      properties: {
        question: { type: "string", minLength: 1 },
        context: { type: "string", minLength: 1, description: "The text with the answer." },
      },
      additionalProperties: false,
    },
    output: {
      type: "array",
      description: "Answers, best first.",
      items: {
        type: "object",
        required: ["answer", "score", "start", "end"],
        properties: {
          answer: { type: "string" },
          score: { type: "number" },
          start: { type: "integer", description: "The first character, from 0." },
          end: { type: "integer", description: "One after the last character." },
        },
      },
    },
  }),
  examples: () => [
    {
      question: "Where does Ada live?",
      context: "Ada was born in 1815. She lives in London, and writes programs.",
    },
  ],
  async quality() {
    const { answerQuality } = await import("./quality.ts");
    return answerQuality();
  },
});
