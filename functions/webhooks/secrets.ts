import * as z from "zod";
import { orSecretName } from "../variable.ts";

/** Secrets by the name of the caller. `*` has those of all other callers. */
export type WebhookSecrets = ReadonlyMap<string, readonly string[]>;

const PREFIX = "whsec_";

const secrets = z
  .string()
  .transform((text) => text.split(",").map((part) => part.trim()))
  .pipe(
    z.array(
      z
        .string()
        .refine(isSecret, `must be ${PREFIX} and 24 to 64 bytes in base64, several with commas`),
    ),
  );

/** The text of a secret outside the configuration. */
export const secretsSchema = z.string().transform((text, context): WebhookSecrets => {
  const byCaller = text.trimStart().startsWith("{") ? parsed(text) : { "*": text };
  const read = z.record(z.string(), secrets).safeParse(byCaller);
  if (read.success) return new Map(Object.entries(read.data));
  const [issue] = read.error.issues;
  context.addIssue({ code: "custom", message: issue?.message ?? "is not usable" });
  return z.NEVER;
});

/** `WEBHOOK_SECRET`: secrets, a JSON object of them by caller, or `ssm:/name` of a parameter that holds either. */
export const webhookSecrets = orSecretName<WebhookSecrets>(secretsSchema);

/** The bytes of a secret's key. */
export function keyOf(secret: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(secret.slice(PREFIX.length)), (letter) => letter.charCodeAt(0));
}

function isSecret(text: string): boolean {
  if (!text.startsWith(PREFIX)) return false;
  try {
    const { length } = keyOf(text);
    return length >= 24 && length <= 64;
  } catch {
    return false;
  }
}

/** Undefined for what is not JSON, which no schema takes. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
