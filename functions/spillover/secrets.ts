import * as z from "zod";
import { list, orSecretName } from "../variable.ts";

/** The secrets, the first of which signs, or the name of the platform's secret that holds them. */
export type SpillSecretSource = readonly string[] | { secretName: string };

/** The text of a secret outside the configuration. */
export const secretsSchema = list(
  z.string().min(32, "must be at least 32 characters, several with commas"),
);

/** `SPILL_SECRET`: secrets, or `ssm:/name` of a parameter that holds them. */
export const spillSecrets = orSecretName<readonly string[]>(secretsSchema);
