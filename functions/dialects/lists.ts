import * as z from "zod";
import type { JsonSchema } from "../tasks/define.ts";

/**
 * An array whose items are not checked: a schema would make an object for each item, and an issue for each wrong one.
 * `items` is their JSON Schema for the API's description.
 */
export function listOfAny(items: JsonSchema = {}): z.ZodType<unknown[]> {
  return z.custom<unknown[]>(Array.isArray, "must be an array").meta({ type: "array", items });
}

/** Like `list`, with at most `most` items. The items of a longer one are not read. */
export function shortList<Item extends z.ZodType>(list: z.ZodArray<Item>, most: number) {
  return z.preprocess((value, { issues }) => {
    if (!Array.isArray(value) || value.length <= most) return value;
    const message = `must have at most ${most} items, has ${value.length}`;
    issues.push({ code: "custom", message, input: value });
    return z.NEVER;
  }, list);
}
