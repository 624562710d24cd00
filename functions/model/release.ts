import * as z from "zod";
import { NAME_PATTERN } from "./manifest.ts";

const releaseSchema = z.strictObject({
  /** The version that answers when a request names none. */
  stable: z.string().regex(NAME_PATTERN),
});

export type Release = z.infer<typeof releaseSchema>;

/** Reads `release.json`; throws an Error that says what is wrong with it. */
export function parseRelease(text: string): Release {
  const result = releaseSchema.safeParse(JSON.parse(text));
  if (!result.success) throw new Error(z.prettifyError(result.error));
  return result.data;
}
