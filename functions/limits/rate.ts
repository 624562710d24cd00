import * as z from "zod";

/** A number of units of cost in a number of seconds. */
export interface Rate {
  limit: number;
  windowSeconds: number;
}

/** A rate in the configuration: `100/60s` is a hundred units in sixty seconds. */
export const rateSchema = z
  .string()
  .regex(/^[1-9]\d{0,8}\/[1-9]\d{0,4}s$/, "must be like 100/60s: units in seconds")
  .transform((text): Rate => {
    const [limit = 0, windowSeconds = 0] = text.split("/").map((part) => Number.parseInt(part, 10));
    return { limit, windowSeconds };
  });
