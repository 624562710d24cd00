import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import * as z from "zod";

/** What the specifications use of JSON Schema. */
export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  definitions?: Record<string, Schema>;
  type?: string;
  enum?: unknown[];
  const?: unknown;
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
}

const require = createRequire(import.meta.url);
const tasks = join(dirname(require.resolve("@huggingface/tasks")), "../../src/tasks");

/** The tasks that the package `@huggingface/tasks` specifies. */
export const SPECIFIED = readdirSync(tasks).filter((task) => existsSync(join(tasks, task, "spec")));

const read = (path: string) => JSON.parse(readFileSync(join(tasks, path), "utf8")) as Schema;
const common = read("common-definitions.json");

/** A schema of the task's, in which each reference is replaced by what it refers to. */
export function specificationOf(task: string, part: "input" | "output"): Schema {
  const schema = read(`${task}/spec/${part}.json`);
  const resolved = (value: unknown): unknown => {
    // The package requires two names that neither its properties nor any answer has.
    if (value === "tokenStr") return "token_str";
    if (value === "generatedText") return "generated_text";
    if (Array.isArray(value)) return value.map(resolved);
    if (typeof value !== "object" || value === null) return value;
    const { $ref } = value as Schema;
    if ($ref === undefined)
      return Object.fromEntries(
        Object.entries(value).map(([key, member]) => [key, resolved(member)]),
      );
    const name = $ref.split("/").at(-1) ?? "";
    return resolved($ref.startsWith("#") ? schema.$defs?.[name] : common.definitions?.[name]);
  };
  return resolved(schema) as Schema;
}

const judge = (schema: Schema, value: unknown) =>
  z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value);

/** Whether a value is as the schema says. */
export function fits(schema: Schema, value: unknown): boolean {
  return judge(schema, value).success;
}

/** Fails unless the answer is as Hugging Face's schema of the task says. */
export function expectSchema(task: string, answer: unknown): void {
  expect(judge(specificationOf(task, "output"), answer).error).toBeUndefined();
}
