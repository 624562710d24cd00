import { readFile, stat } from "node:fs/promises";
import * as z from "zod";
import { oneLine } from "../one-line.ts";

/**
 * What `add` knows about a setting. It is `used`, or it changes nothing that the service does (`harmless`), or only
 * some values change nothing. For those, a function gives the allowed values in words if the value is not allowed.
 */
export type Rule = "used" | "harmless" | ((value: unknown) => string | undefined);

/** Reads a JSON file. Undefined if there is none. Throws an Error that names the file and the wrong setting. */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  if (!(await isFile(path))) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path)));
  } catch (cause) {
    throw new Error(`${path} is no JSON in UTF-8: ${(cause as Error).message}`, { cause });
  }
  const { data, error } = schema.safeParse(json);
  if (error) throw new Error(`${path} is not readable: ${oneLine(z.prettifyError(error))}`);
  return data;
}

/**
 * Throws an Error for the first setting of a file that is not known, or whose value would change the answers.
 */
export function checkSettings(
  path: string,
  settings: Record<string, unknown> | undefined,
  rules: Readonly<Record<string, Rule>>,
): void {
  for (const [name, value] of Object.entries(settings ?? {})) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === "used" || rule === "harmless") continue;
    if (rule === undefined) {
      // `null` is the same as no setting.
      if (value === null) continue;
      throw new Error(
        `${path}: add does not know the setting ${shown(name, value)}. If it changes neither what the model gets nor what it answers, take it out of the file; if it does, add the .onnx file itself, which makes it a tensor model.`,
      );
    }
    const allowed = rule(value);
    if (allowed !== undefined)
      throw new Error(`${path}: ${shown(name, value)} is not supported: ${allowed}`);
  }
}

/** Several settings under one rule. */
export function rules(rule: Rule, ...names: readonly string[]): Record<string, Rule> {
  return Object.fromEntries(names.map((name) => [name, rule]));
}

/** The rule of a setting that must have one of these values, or be absent. */
export function only(...values: readonly unknown[]): Rule {
  const allowed = new Set([null, ...values].map((value) => JSON.stringify(value)));
  return (value) =>
    allowed.has(JSON.stringify(value))
      ? undefined
      : `it may be ${values.map((one) => JSON.stringify(one)).join(" or ") || "null"}, or absent.`;
}

function shown(name: string, value: unknown): string {
  const text = JSON.stringify(value);
  return `${JSON.stringify(name)}: ${text.length > 200 ? `${text.slice(0, 200)}…` : text}`;
}

export async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}
