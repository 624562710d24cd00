import * as z from "zod";
import { textOptions } from "../text/options.ts";

export const questionAnsweringOptions = {
  spans: z.strictObject({
    start: z
      .string()
      .describe(
        "The output with a number for each token: how well an answer begins there. FP32, FP64 or FP16, [-1, -1].",
      ),
    end: z.string().describe("The same for the answer's last token."),
  }),
  ...textOptions,
};

const count = z.number().int().positive();

export const questionAnsweringParameters = z.strictObject({
  top_k: count.max(100).default(1).describe("The most answers, best first."),
  max_answer_len: count.default(15).describe("The most tokens of an answer."),
  max_seq_len: count
    .optional()
    .describe(
      "The most tokens of a part of a long context, with the question: at most the model's. When absent, the model's, up to 384.",
    ),
  doc_stride: z
    .number()
    .int()
    .min(0)
    .optional()
    .describe(
      "How many tokens neighbouring parts of a long context share. When absent, half of `max_seq_len`, up to 128.",
    ),
  handle_impossible_answer: z
    .boolean()
    .default(false)
    .describe("Whether the answer may be empty: the text has none."),
  align_to_words: z
    .boolean()
    .default(true)
    .describe("Whether answers are whole words. Better false where words have no spaces."),
});

export type QuestionAnsweringParameters = z.output<typeof questionAnsweringParameters>;
