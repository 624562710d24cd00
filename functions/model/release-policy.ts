import * as z from "zod";
import { isLoopback } from "../loopback.ts";

export const percentSchema = z.number().min(0).max(100);

/** Whether a notice may be sent there: over https, or to this machine. */
export function isWebhook(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname));
}

/** When a candidate is taken back without being asked, and when its share grows. */
export const policySchema = z.looseObject({
  steps: z
    .looseObject({
      percents: z.array(percentSchema).min(1).describe("Rising shares, such as 5, 25, 50, 100."),
      everySeconds: z.number().positive().describe("The least time between two of them."),
    })
    .optional()
    .describe(
      "The shares that the candidate gets one after the other. It keeps its share when absent.",
    ),
  minRequests: z
    .number()
    .int()
    .min(1)
    .default(500)
    .describe("The candidate needs so many requests before its share grows."),
  rollback: z
    .looseObject({
      alpha: z
        .number()
        .gt(0)
        .lt(1)
        .default(0.01)
        .describe("The chance that a candidate as good as stable is ever taken back."),
      errors: z.boolean().default(true).describe("Whether more errors than stable's take it back."),
      latency: z
        .number()
        .min(1)
        .optional()
        .describe(
          "It is taken back if over 5 % of its answers take longer than stable's 95th percentile times this. No bound when absent.",
        ),
      disagreement: z
        .number()
        .gt(0)
        .lt(1)
        .optional()
        .describe(
          "It is taken back if it answers more than this share of copied inputs otherwise than stable. No bound when absent.",
        ),
    })
    .prefault({}),
  tolerance: z
    .looseObject({
      absolute: z.number().min(0).default(0.05),
      relative: z.number().min(0).default(0.05).describe("A part of the size of stable's number."),
    })
    .prefault({})
    .describe(
      "A copied input is answered as by stable when texts and labels are equal, and numbers differ by no more than both parts together. A list of numbers counts as one vector.",
    ),
  webhook: z
    .string()
    .refine(isWebhook, "must be an https URL")
    .optional()
    .describe("Told by POST when a share changes by itself."),
});

export type Policy = z.infer<typeof policySchema>;

/** The policy of a release that has none. */
export const DEFAULT_POLICY: Policy = policySchema.parse({});
