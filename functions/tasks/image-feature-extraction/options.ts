import * as z from "zod";

export const IMAGE_POOLINGS = ["cls", "mean", "max", "none"] as const;
export type ImagePooling = (typeof IMAGE_POOLINGS)[number];

export const imageVectorOptions = {
  vector: z
    .strictObject({
      output: z
        .string()
        .describe(
          "The output with the vectors: FP32, FP64 or FP16. `[-1, size]`, with or without ones behind, holds a vector for each image, `[-1, parts, size]` one for each part of it, and `[-1, size, rows, columns]` maps of features.",
        ),
      pooling: z
        .enum(IMAGE_POOLINGS)
        .optional()
        .describe(
          "How the parts' vectors become one: the first (`cls`), the `mean` or the largest numbers (`max`) of all. `none` answers with all of them. Only for an output with parts, or maps, which need it.",
        ),
      normalize: z
        .boolean()
        .default(false)
        .describe("Whether vectors are scaled to length 1, after pooling."),
    })
    .describe("Where the vectors are, and how they become the answer."),
};
