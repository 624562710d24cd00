import * as z from "zod";

/**
 * An array whose items are not looked at: a schema for them would make an object for each, and an issue for each that
 * is wrong.
 */
export function listOfAny(): z.ZodType<unknown[]> {
  return z.custom<unknown[]>(Array.isArray, "must be an array").meta({ type: "array", items: {} });
}

/** An array of at most `most` items. Those of a longer one are not looked at. */
export function shortList<Item extends z.ZodType>(item: Item, most: number) {
  return z.preprocess((value, { issues }) => {
    if (!Array.isArray(value) || value.length <= most) return value;
    const message = `must have at most ${most} items, has ${value.length}`;
    issues.push({ code: "custom", message, input: value });
    return z.NEVER;
  }, z.array(item));
}
