import * as z from "zod";
import { imageOptions } from "../image/options.ts";

const classNumber = z.number().int().min(0);

export const imageToTextOptions = {
  ...imageOptions,
  recognition: z
    .strictObject({
      output: z
        .string()
        .describe(
          "The output with a number for each class at each step: FP32, FP64 or FP16, `[-1, steps, classes]`. Or with each step's class alone: INT64 or INT32, `[-1, steps]`.",
        ),
      characters: z
        .string()
        .describe(
          "The asset with the character of each class, in UTF-8: one on each line, in the order of the classes. The class of `blank` or `end` has no line.",
        ),
      blank: classNumber
        .optional()
        .describe(
          "The class that stands for no character, of a graph that was trained with CTC. Equal classes one after another are one character.",
        ),
      end: classNumber
        .optional()
        .describe(
          "The class that ends the text, of a graph that gives a character at each step. A manifest has `blank` or `end`.",
        ),
      activation: z
        .enum(["softmax", "none"])
        .optional()
        .describe(
          "How an output's numbers become probabilities: `none` where they are some already. Absent where it has classes alone.",
        ),
    })
    .describe("How the graph's output becomes a text."),
};

/** The field `recognition` as it is written in a manifest. */
export type RecognitionSettings = z.input<typeof imageToTextOptions.recognition>;
