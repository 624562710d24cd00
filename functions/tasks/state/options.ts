import * as z from "zod";

/** The manifest's field of graphs that go on from what they gave before. */
export const stateOption = z
  .record(z.string(), z.string())
  .refine((pairs) => Object.keys(pairs).length > 0, "must name an input")
  .describe(
    'Which output becomes which input of the next step: `{"h": "hn", "c": "cn"}` for the inputs `h` and `c`. They begin with zeros, and a free dimension of theirs with 1.',
  );

/** A state of some megabytes would no longer be something to carry with each call. */
const MOST_CHARACTERS = 1024 * 1024;

export const stateParameters = {
  state: z
    .string()
    .max(MOST_CHARACTERS)
    .optional()
    .describe(
      "The `state` of the answer before, unchanged, to go on from there. Only the version that made it takes it.",
    ),
  return_state: z
    .boolean()
    .default(false)
    .describe("Whether the answer has a `state` for the next call."),
};
