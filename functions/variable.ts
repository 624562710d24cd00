import * as z from "zod";
import { NAME_PATTERN } from "./model/name.ts";

export type PlatformName = "cloudflare" | "lambda" | "node";

/** One row of the table of variables. */
export interface Variable {
  schema: z.ZodType;
  about: string;
  /**
   * The platforms that support the variable; all when absent. Other platforms refuse a value that is not the default.
   */
  on?: readonly PlatformName[];
  /** Other platforms ignore the variable: they do the same without it, or other programs read it too. */
  elsewhere?: "ignored";
  /** What to use instead, on a platform that does not support the variable. */
  instead?: Partial<Record<PlatformName, string>>;
  /** The only value that a platform accepts. */
  only?: Partial<Record<PlatformName, string>>;
  /** Error messages must not show the value. */
  secret?: true;
}

export function whole(minimum: number, maximum = Infinity) {
  const error = `must be a whole number from ${minimum} ${maximum === Infinity ? "on" : `to ${maximum}`}`;
  return z.coerce.number({ error }).int({ error }).min(minimum, { error }).max(maximum, { error });
}

export function above0() {
  const error = "must be a number above 0";
  return z.coerce.number({ error }).positive({ error });
}

export const text = (error: string) => z.string({ error }).min(1, { error });
export const modelName = z.string().regex(NAME_PATTERN, "must be the name of a model");
export const truth = z.stringbool({ error: "must be true or false" });

/** The name in `ssm:/name`, of a secret that the platform keeps. Undefined for a value that is none. */
export function secretNameOf(value: string): string | undefined {
  return /^ssm:(\/.+)$/.exec(value)?.[1];
}

/** What the schema reads, or `ssm:/name` of a secret that holds it. */
export function orSecretName<Value>(schema: z.ZodType<Value, string>) {
  return z.string().transform((value, context): Value | { secretName: string } => {
    const secretName = secretNameOf(value);
    if (secretName !== undefined) return { secretName };
    const read = schema.safeParse(value);
    if (read.success) return read.data;
    for (const { message } of read.error.issues) context.addIssue({ code: "custom", message });
    return z.NEVER;
  });
}

export const webOrigin = z
  .string()
  .refine(
    (origin) => origin === "*" || (URL.canParse(origin) && new URL(origin).origin === origin),
    "must be an origin like https://example.com, or *",
  );

export const batchedModel = z
  .string()
  .regex(/^[^:]+:\d+$/, "must be a model with its most rows, like iris:32")
  .transform((part) => part.split(":"))
  .pipe(
    z.tuple([modelName, z.string().transform(Number).pipe(z.number().min(2, "must be 2 or more"))]),
  );

export const aliasedModel = z
  .string()
  .regex(/^(\/[\w.-]+)+:[^:/]+$/, "must be a path with its model, like /sentiment:sentiment")
  .transform((part) => part.split(":"))
  .pipe(z.tuple([z.string(), modelName]));

export const namedSource = z.string().transform((part, context) => {
  const [, name, url] = /^([A-Za-z0-9][\w.-]{0,63})=(.+)$/s.exec(part) ?? [];
  if (name !== undefined && url !== undefined) return [name, url] as const;
  context.addIssue("must be a name with its place, like customers=redis://host:6379");
  return z.NEVER;
});

/** Values separated by commas. */
export const list = <Value>(value: z.ZodType<Value, string>) =>
  z
    .string()
    .transform((values) => values.split(",").map((part) => part.trim()))
    .pipe(z.array(value));

export const namedSources = list(namedSource).refine(
  (sources) => new Set(sources.map(([name]) => name)).size === sources.length,
  "must have each name once",
);
