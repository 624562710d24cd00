import { bodyOf, mediaTypeOf, pathOf, type Question } from "./api.ts";

/** Where the service is, and whether it asks for a key. The key itself is in no code: `$KEY` stands for it. */
export interface Place {
  url: string;
  isKeyed: boolean;
}

/** The call as a `curl` command for a POSIX shell. */
export function asCurl(question: Question, { url, isKeyed }: Place): string {
  const { inputs, parameters } = question;
  const [type, data] =
    typeof inputs === "string"
      ? ["application/json", `--data-raw ${shellQuoted(bodyOf(inputs, parameters))}`]
      : [mediaTypeOf(inputs), `--data-binary ${shellQuoted(`@${inputs.name}`)}`];
  return [
    `curl ${shellQuoted(url + pathOf(question))}`,
    `-H ${shellQuoted(`Content-Type: ${type}`)}`,
    ...(isKeyed ? ['-H "Authorization: Bearer $KEY"'] : []),
    data,
  ].join(" \\\n  ");
}

/** The call in Python, with its standard library only. */
export function asPython(question: Question, { url, isKeyed }: Place): string {
  const { inputs, parameters } = question;
  const isJson = typeof inputs === "string";
  const type = isJson ? "application/json" : mediaTypeOf(inputs);
  return [
    "import json",
    ...(isKeyed ? ["import os"] : []),
    "import urllib.request",
    "",
    isJson
      ? `body = json.dumps(${pythonOf(bodyOf(inputs, parameters))}).encode()`
      : `body = open(${pythonOf(JSON.stringify(inputs.name))}, "rb").read()`,
    "request = urllib.request.Request(",
    `    ${JSON.stringify(url + pathOf(question))},`,
    "    data=body,",
    `    headers={"Content-Type": "${type}"${isKeyed ? ', "Authorization": "Bearer " + os.environ["KEY"]' : ""}},`,
    ")",
    "with urllib.request.urlopen(request) as response:",
    '    print(json.load(response)["outputs"])',
  ].join("\n");
}

/** The call in TypeScript, with `@nearcast/client`. */
export function asTypeScript(question: Question, { url, isKeyed }: Place): string {
  const { model, version, inputs, parameters } = question;
  const isJson = typeof inputs === "string";
  const options = [
    ...(version === undefined ? [] : [`version: ${JSON.stringify(version)}`]),
    ...(parameters === undefined ? [] : [`parameters: ${scriptOf(parameters)}`]),
  ];
  const input = isJson ? scriptOf(inputs) : `await readFile(${JSON.stringify(inputs.name)})`;
  return [
    ...(isJson ? [] : ['import { readFile } from "node:fs/promises";']),
    'import { createClient } from "@nearcast/client";',
    "",
    `const client = createClient(${JSON.stringify(url)}${isKeyed ? ', { key: process.env["KEY"] }' : ""});`,
    `const { outputs } = await client.predict(${JSON.stringify(model)}, ${input}${options.length > 0 ? `, { ${options.join(", ")} }` : ""});`,
    "console.log(outputs);",
  ].join("\n");
}

/** One word of a POSIX shell. Inside single quotes only they themselves mean anything. */
function shellQuoted(text: string): string {
  return /^[\w:/.@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

const STRING_OR_WORD = /"(?:[^"\\]|\\.)*"|true|false|null/g;
const PYTHON: Record<string, string> = { true: "True", false: "False", null: "None" };

/** JSON as a Python literal. Strings of JSON are strings of Python but for `\/`. */
function pythonOf(json: string): string {
  return json.replaceAll(
    STRING_OR_WORD,
    (found) => PYTHON[found] ?? found.replaceAll(ESCAPE, bare),
  );
}

/** JSON as an expression: there `"__proto__"` would set a prototype. */
function scriptOf(json: string): string {
  return json.replaceAll(/"(?:[^"\\]|\\.)*"(?=(\s*:)?)/g, (text, colon?: string) =>
    colon !== undefined && JSON.parse(text) === "__proto__" ? '["__proto__"]' : text,
  );
}

const ESCAPE = /\\(.)/g;
const bare = (escape: string, letter: string) => (letter === "/" ? "/" : escape);
