// Makes docs/manifest.md, docs/model.schema.json and docs/release.schema.json from the schemas of the service.
import { glob, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { manifestFields } from "../functions/model/manifest.ts";
import { NAME_PATTERN } from "../functions/model/name.ts";
import { releaseSchema } from "../functions/model/release.ts";
import { BUILT_IN_TASKS } from "../functions/tasks/built-in.ts";
import type { Task } from "../functions/tasks/define.ts";

const root = join(import.meta.dirname, "..");

/** A part of a JSON Schema (draft 7, which every editor knows). */
interface Schema {
  type?: string;
  description?: string;
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  format?: string;
  /** Manifests have two patterns: for names and for SHA-256 digests. */
  pattern?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
}

/** The text of each file, by its path in the repository. */
export async function references(): Promise<Map<string, string>> {
  return new Map([
    ["docs/manifest.md", await manifestPage()],
    ["docs/model.schema.json", json(modelSchema())],
    ["docs/release.schema.json", json({ title: "Release of a model", ...schemaOf(releaseSchema) })],
  ]);
}

function modelSchema(): object {
  const { task, ...common } = propertiesOf(z.object(manifestFields));
  const names = BUILT_IN_TASKS.map(({ name }) => name);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Manifest of a Nearcast model version",
    type: "object",
    properties: {
      ...common,
      // Any string, because a deployment may have tasks of its own.
      task: { description: task?.description, anyOf: [{ enum: names }, { type: "string" }] },
    },
    required: schemaOf(z.object(manifestFields)).required,
    patternProperties: { "^x-": {} },
    allOf: BUILT_IN_TASKS.map(({ name, options }) => {
      const { properties = {}, required } = schemaOf(z.object(options));
      const fields = [...Object.keys(manifestFields), ...Object.keys(properties)];
      return {
        if: { properties: { task: { const: name } }, required: ["task"] },
        // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
        then: {
          properties,
          ...(required && { required }),
          propertyNames: { anyOf: [{ enum: fields }, { pattern: "^x-" }] },
        },
      };
    }),
  };
}

async function manifestPage(): Promise<string> {
  const example = (await shippedManifests()).find(({ name }) => name === "iris");
  if (!example) throw new Error("models/iris/1/model.json is missing.");
  const sections = await Promise.all(BUILT_IN_TASKS.map(taskSection));
  return `<!-- Made by \`npm run build:reference\` from the schemas in functions/. Do not edit. -->

# The manifest: \`model.json\`

Each version of a model is a folder: \`models/<name>/<version>/\`. Its \`model.json\` says all that the service knows of
the version. \`nearcast add\` writes it, and \`nearcast verify\` checks it. A field that is not on this page is an
error, except for fields whose name begins with \`x-\`: those are yours.

## In your editor

[model.schema.json](model.schema.json) is this page as a JSON Schema. With it, an editor completes fields and marks
mistakes. It is in the npm package. For Visual Studio Code, put this into \`.vscode/settings.json\`:

\`\`\`json
${json({
  "json.schemas": [
    {
      fileMatch: ["models/*/*/model.json"],
      url: "./node_modules/nearcast/docs/model.schema.json",
    },
    {
      fileMatch: ["models/*/release.json"],
      url: "./node_modules/nearcast/docs/release.schema.json",
    },
  ],
}).trim()}
\`\`\`

Other editors read the path of the schema from the field \`$schema\` of the manifest.

## An example

\`models/iris/1/model.json\`, with one of its examples and one of its metrics:

\`\`\`json
${json({ ...example, examples: example.examples.slice(0, 1), metrics: example.metrics.slice(0, 1) }).trim()}
\`\`\`

## Fields of every task

\`a.b\` is the field \`b\` of the object \`a\`. \`a[].b\` is the field \`b\` of each object in the array \`a\`. Such a
field is required if its object is there. A name has up to 64 letters, digits, dots, underscores and hyphens, and
begins with a letter or a digit.

${table(schemaOf(z.object(manifestFields)))}
## Large examples

Examples of some kilobytes belong into \`examples\`. Larger ones, such as a picture's 200,000 numbers, are in files
beside the manifest: \`examples.jsonl\` has an example on each line, and its large arrays are NumPy files.

\`\`\`json
{"input": {"image": {"$npy": "example-1-input-1.npy"}}, "output": {"scores": [[0.9, 0.1]]}}
\`\`\`

\`{"$npy": …}\` stands for the array in that file: numbers or booleans in C order and little-endian, as \`numpy.save\`
writes them. \`verify\`, \`optimize\`, \`quantize\` and \`push\` read these files; no prediction and no listing does.

To add one, write its line into \`examples.jsonl\` and run \`nearcast verify <model> --record\`: it records the outputs,
and lists the files in \`examplesFile\`. It also moves examples there that are too large for the manifest.

For a tensor model whose inputs have over 4,096 elements, \`nearcast add\` makes two examples, from the seeds 1 and 2 of
the generator Mulberry32. It fills the inputs in their order, row by row. Each number n, from 0 to below 1, gives the
level ⌊256 n⌋. The level gives the element: level / 256 for a floating point type, the level itself for UINT8, level mod
2 for another integer type, and whether the level is even for BOOL.

## Tasks

\`task\` names one of these, or one that your deployment defines with \`defineTask\`. Each has fields of its own in the
manifest, and \`parameters\` that a request may send.

${sections.join("\n")}`;
}

async function taskSection({ name, about, options, parameters }: Task): Promise<string> {
  const fields = schemaOf(z.object(options));
  const accepted = schemaOf(parameters);
  const parts = [`### ${name}\n`, `${about}\n`];
  const names = Object.keys(fields.properties ?? {});
  if (names.length === 0) parts.push("It has no fields of its own.\n");
  else {
    parts.push(table(fields));
    const shipped = (await shippedManifests()).find(({ task }) => task === name);
    if (shipped) parts.push(exampleOf(shipped, names));
  }
  if (Object.keys(accepted.properties ?? {}).length > 0)
    parts.push(`Parameters of a request:\n\n${table(accepted)}`);
  return parts.join("\n");
}

function exampleOf(manifest: Example, fields: readonly string[]): string {
  const used = fields.filter((field) => field in manifest);
  const shown = Object.fromEntries(used.map((field) => [field, manifest[field]]));
  return `As in \`models/${manifest.name}/${manifest.version}/model.json\`:\n\n\`\`\`json\n${json(shown)}\`\`\`\n`;
}

function table(schema: Schema): string {
  const rows = rowsOf(schema, "").map((cells) => `| ${cells.join(" | ")} |\n`);
  return `| field | type | required | meaning |\n| --- | --- | --- | --- |\n${rows.join("")}`;
}

function rowsOf({ properties = {}, required = [] }: Schema, above: string): string[][] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const path = `${above}${name}`;
    const needed = required.includes(name) ? "yes" : "";
    const row = [`\`${path}\``, typeOf(field), needed, meaningOf(field)];
    if (field.type === "array") return [row, ...rowsOf(field.items ?? {}, `${path}[].`)];
    return [row, ...rowsOf(field, `${path}.`)];
  });
}

function typeOf(field: Schema): string {
  const { type = "anything", items, anyOf, pattern, properties } = field;
  if (field.const !== undefined) return code(field.const);
  if (field.enum) return field.enum.map(code).join(", ");
  if (anyOf)
    return anyOf
      .map((one) =>
        one.properties ? Object.keys(one.properties).map(code).join(", ") : typeOf(one),
      )
      .join(" or ");
  if (items) return `array of ${items.anyOf ? "objects" : typeOf(items)}`;
  if (pattern === NAME_PATTERN.source) return "name";
  if (pattern !== undefined) return "64 hexadecimal digits";
  return properties?.["file"] ? "file" : `${type}${rangeOf(field)}`;
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}

function rangeOf({ minimum, exclusiveMinimum, maximum }: Schema): string {
  const least = minimum !== undefined ? `from ${minimum}` : exclusiveMinimum === 0 ? "above 0" : "";
  const most = maximum === undefined ? "" : `to ${maximum}`;
  const range = [least, most].filter(Boolean).join(" ");
  return range && ` ${range}`;
}

function meaningOf(field: Schema): string {
  const words = [field.description ?? ""];
  if (field.default !== undefined && field.type !== "array")
    words.push(`${code(field.default)} when absent.`);
  return words.filter(Boolean).join(" ").replaceAll("|", "\\|");
}

function propertiesOf(schema: z.ZodType): Record<string, Schema> {
  return schemaOf(schema).properties ?? {};
}

/** The JSON Schema of the zod schema's input. */
function schemaOf(schema: z.ZodType): Schema {
  const { $schema: _, ...made } = z.toJSONSchema(schema, {
    io: "input",
    target: "draft-7",
    override({ jsonSchema }) {
      // Left out as obvious: the limits of JavaScript's integers, and the format of dates.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
    },
  });
  return made as Schema;
}

interface Example extends Record<string, unknown> {
  name: string;
  version: string;
  task: string;
  examples: unknown[];
  metrics: unknown[];
}

/** The first version of each shipped model, by name. */
async function shippedManifests(): Promise<Example[]> {
  const paths: string[] = [];
  for await (const path of glob("models/*/1/model.json", { cwd: root })) paths.push(path);
  const texts = paths.toSorted().map((path) => readFile(join(root, path), "utf8"));
  return (await Promise.all(texts)).map((text) => JSON.parse(text) as Example);
}

/** Indents JSON, with arrays of numbers and strings on one line. */
function json(value: unknown): string {
  const text = JSON.stringify(value, undefined, 2);
  return `${text.replaceAll(/\[\s+([^[\]{}]*?)\s+\]/g, (_, inner: string) => `[${inner.replaceAll(/,\s+/g, ", ")}]`)}\n`;
}

if (import.meta.main)
  for (const [path, text] of await references()) await writeFile(join(root, path), text);
