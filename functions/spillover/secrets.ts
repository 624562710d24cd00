import * as z from "zod";
import { list, secretNameOf } from "../variable.ts";

/** The secrets, the first of which signs, or the name of the platform's secret that holds them. */
export type SpillSecretSource = readonly string[] | { secretName: string };

/** The text of a secret outside the configuration. */
export const secretsSchema = list(
  z.string().min(32, "must be at least 32 characters, several with commas"),
);

/** `SPILL_SECRET`: secrets, or `ssm:/name` of a parameter that holds them. */
export const spillSecrets = z.string().transform((text, context): SpillSecretSource => {
  const secretName = secretNameOf(text);
  if (secretName !== undefined) return { secretName };
  const read = secretsSchema.safeParse(text);
  if (read.success) return read.data;
  for (const { message } of read.error.issues) context.addIssue({ code: "custom", message });
  return z.NEVER;
});
