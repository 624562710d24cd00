import * as z from "zod";
import { NAME_PATTERN } from "./name.ts";

const name = z.string().min(1).max(100);

/** The manifest's `lookup`: which features the service looks up, where, and for whom. */
export const lookupSchema = z.strictObject({
  source: z
    .string()
    .regex(NAME_PATTERN)
    .describe("The name of the source, as `FEATURE_SOURCES` of the deployment has it."),
  keys: z
    .array(
      z.strictObject({
        name: name
          .refine((text) => text !== "__proto__", "is no name of a member")
          .describe("The member of the input."),
        type: z.enum(["integer", "string"]),
        description: z.string().optional(),
      }),
    )
    .min(1)
    .max(4)
    .describe("What inputs send to say whose features are looked up. A key may be a feature too."),
  features: z
    .array(
      z.strictObject({
        name: name.describe("A feature of this manifest."),
        from: z
          .string()
          .min(1)
          .max(200)
          .optional()
          .describe("Its name in the source, such as Feast's `view:feature`, if that is another."),
        default: z
          .union([z.number(), z.boolean(), z.string()])
          .optional()
          .describe(
            "The value when the source does not know it, when it is too old, and while the source does not answer. When absent: the feature's `missing` where it is not known or too old, otherwise the call is refused.",
          ),
      }),
    )
    .min(1)
    .describe("The features that are looked up where the input does not have them."),
  maxAgeSeconds: z
    .number()
    .positive()
    .optional()
    .describe(
      "Values whose event is longer ago are not used, nor those that do not say when it was. Any age when absent.",
    ),
  cacheSeconds: z
    .number()
    .min(0)
    .max(3600)
    .optional()
    .describe("How long values are kept in memory: 5 seconds when absent, 0 for not at all."),
  timeoutMs: z
    .number()
    .int()
    .positive()
    .optional()
    .describe(
      "The longest wait for the source, in milliseconds: 1000 when absent, and at most half of the time that the call has left.",
    ),
});

export type Lookup = z.output<typeof lookupSchema>;
export type LookupKey = Lookup["keys"][number];
