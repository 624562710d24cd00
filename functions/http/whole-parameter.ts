import type { Context } from "hono";
import { invalidInput } from "../errors.ts";

/** A query parameter from 1 to `most`, or `usual` without it. Throws `invalid_input` for anything else. */
export function wholeParameter(
  c: Context,
  name: string,
  { usual, most }: { usual: number; most: number },
): number {
  const value = Number(c.req.query(name) ?? usual);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw invalidInput([{ path: name, message: `must be a whole number from 1 to ${most}` }]);
}
