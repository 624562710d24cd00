import * as z from "zod";
import { datatypeNames } from "../../tensor.ts";
import { shortList } from "../lists.ts";

const binarySize = z.number().int().nonnegative();

/** Parameters that would change the answer and that are not supported. All other parameters are hints. */
const REFUSED = ["shared_memory_region", "classification", "sequence_id"] as const;

const NOT_SUPPORTED = "is not supported, and would change the answer: leave it out";

// Clients with pydantic models write null for absent members.
const parameters = z
  .looseObject({
    binary_data_size: binarySize.nullish(),
    binary_data: z.boolean().nullish(),
    binary_data_output: z.boolean().nullish(),
    content_type: z.string().nullish(),
  })
  .superRefine((given, context) => {
    for (const name of REFUSED.filter((one) => given[one]))
      context.addIssue({ code: "custom", path: [name], message: NOT_SUPPORTED });
  })
  .nullish();

/** More tensors than any graph has. */
const MOST_TENSORS = 1000;
const MOST_DIMENSIONS = 64;

export const inferRequest = z.strictObject({
  id: z.string().nullish(),
  /** KServe's client repeats the path's model in the body. */
  model_name: z.string().nullish(),
  model_version: z.string().nullish(),
  parameters,
  inputs: shortList(
    z
      .array(
        z.strictObject({
          name: z.string(),
          shape: shortList(z.array(z.number().int().nonnegative()), MOST_DIMENSIONS),
          datatype: z.enum(datatypeNames),
          parameters,
          data: z.unknown().optional(),
        }),
      )
      .min(1),
    MOST_TENSORS,
  ),
  outputs: shortList(
    z.array(z.strictObject({ name: z.string(), parameters })),
    MOST_TENSORS,
  ).nullish(),
});

/** A body as it was sent. */
export type RequestBody = z.infer<typeof inferRequest>;
