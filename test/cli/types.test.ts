import { cp, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { typeOf } from "../../cli/types/schema-type.ts";
import { comment, literal, memberName } from "../../cli/types/text.ts";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { defineTask } from "../../functions/tasks/define.ts";
import { apiKey, keyList } from "../auth/keys.ts";
import { nearcast, root, succeed, temporaryFolder } from "./nearcast.ts";

const page = apiKey("page");

/** A task that the command does not know. */
const mood = defineTask({
  name: "mood",
  about: "Four numbers in, a mood out.",
  options: {},
  parameters: z.strictObject({ louder: z.boolean().default(false) }),
  input: "json",
  compile: () => ({
    isBatch: Array.isArray,
    preprocess: () => [],
    outputNames: [],
    postprocess: () => [],
  }),
  schema: () => ({
    input: { type: "array", prefixItems: [{ type: "number" }, { $ref: "#/$defs/none" }] },
    output: { type: "object", properties: { mood: { enum: ["good", "bad"] } } },
  }),
});

/** A service in this process over these models. */
async function served(models: string): Promise<string> {
  const env = { STORE: models, ACCESS_LOG: "false", API_KEYS: keyList(page) };
  const app = createApp(createService(createNodePlatform(env), { tasks: [mood] }));
  const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Shipped models, two of which are released. */
async function someModels(): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of ["iris", "digits"])
    await cp(join(root, "models", name), join(folder, name), { recursive: true });
  await cp(join(root, "models/iris/1"), join(folder, "draft/1"), { recursive: true });
  return folder;
}

test("a service and its folder give the same types, of what is released", async () => {
  const folder = await someModels();
  const types = await succeed(["types", folder]);
  expect(await succeed(["types", await served(folder), "--key", page.key])).toBe(types);
  expect(types).toContain('import type { Classification, ImageInput } from "@nearcast/client";');
  expect(types).toContain('    output: Classification<"setosa" | "versicolor" | "virginica">;\n');
  expect(types).toContain("      /** From 0 to 20 cm. */\n      sepal_length: number;\n");
  expect(types).not.toContain("draft");
});

test("a task of the service's own has the types of its schemas", async () => {
  const folder = await someModels();
  await cp(join(folder, "iris"), join(folder, "own"), { recursive: true });
  const path = join(folder, "own/1/model.json");
  const { features, labels, label, scores, ...manifest } = JSON.parse(
    await readFile(path, "utf8"),
  ) as Record<string, unknown>;
  expect([features, labels, label ?? scores]).not.toContain(undefined);
  await writeFile(path, JSON.stringify({ ...manifest, name: "own", task: "mood", examples: [] }));
  const types = await succeed(["types", await served(folder), "--key", page.key]);
  expect(types).toContain(`    input: readonly [number, unknown];
    output: {
      mood?: "good" | "bad";
    };
    parameters: {
      /** false when absent. */
      louder?: boolean;
    };
`);
  const { code, stdout, stderr } = await nearcast(["types", folder]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain("own/1/model.json in the store is not a valid manifest. task: must be");
});

test("it says what is missing: a key, a service, a release", async () => {
  const folder = await temporaryFolder();
  const url = await served(folder);
  const other = createServer((_request, response) => response.end("<h1>Hello</h1>"));
  await new Promise<void>((resolve) => void other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as AddressInfo;
  const address = `http://127.0.0.1:${port}`;
  const refusals: [string[], string][] = [
    [[url], `${url}/v1/models answered 401`],
    [[url, "--key", page.key], `${url} has no released model for this key.`],
    [[folder], `${folder} has no released model.`],
    [[join(folder, "nowhere")], `There is no folder ${join(folder, "nowhere")}.`],
    [[address], `${address} is not a service of Nearcast: /v1/models is no JSON.`],
  ];
  for (const [args, reason] of refusals) {
    const { code, stdout, stderr } = await nearcast(["types", ...args]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(reason);
  }
  await new Promise((resolve) => other.close(resolve));
  const { stderr } = await nearcast(["types", address]);
  expect(stderr).toContain(`${address} cannot be reached`);
});

test.each<[unknown, string]>([
  [true, "unknown"],
  [false, "never"],
  [{}, "unknown"],
  [{ type: ["integer", "null"] }, "number | null"],
  [{ const: "it's" }, `"it's"`],
  [{ enum: [1, true, null, "a"] }, '1 | true | null | "a"'],
  [{ enum: [], type: "string" }, "string"],
  [{ anyOf: [{ type: "string" }, { type: "string" }, { type: "number" }] }, "string | number"],
  [{ anyOf: [{ type: "string" }, {}] }, "unknown"],
  [{ allOf: [{ enum: ["a", "b"] }, { type: "string" }] }, '("a" | "b") & (string)'],
  [{ type: "array" }, "unknown[]"],
  [{ type: "array", items: { type: ["string", "null"] } }, "Array<string | null>"],
  [{ type: "object", additionalProperties: { type: "number" } }, "Record<string, number>"],
  [{ type: "object" }, "Record<string, unknown>"],
  [{ type: "object", additionalProperties: false }, "Record<string, never>"],
  [{ type: "string", contentEncoding: "base64" }, "string"],
  [{ $ref: "#/nowhere" }, "unknown"],
])("the schema %j is the type %s", (schema, type) => {
  expect(typeOf(schema, { isInput: false })).toBe(type);
});

test("what is sent may be frozen, and base64 may be a file", () => {
  const images = { type: "array", items: { type: "string", contentEncoding: "base64" } };
  expect(typeOf(images, { isInput: true })).toBe("readonly ImageInput[]");
  const sound = { type: "string", contentEncoding: "base64", contentMediaType: "audio/wav" };
  expect(typeOf(sound, { isInput: true })).toBe("AudioInput");
});

test("a schema that contains itself ends", () => {
  const tree = { type: "array", items: { $ref: "#/tree" } };
  expect(typeOf(tree, { isInput: false, resolve: () => tree })).toMatch(/^unknown(\[\])+$/);
});

test("names, literals and comments are never other code", () => {
  expect(["a_1", "class", "$", "1a", "a-b", 'a"b', "größe", "a\u2028"].map(memberName)).toEqual([
    "a_1",
    "class",
    "$",
    '"1a"',
    '"a-b"',
    "'a\"b'",
    '"größe"',
    '"a\\u2028"',
  ]);
  expect(['a\\"b', `"'`, "a\nb", "\u202ea", "\ud800"].map(literal)).toEqual([
    `'a\\\\"b'`,
    `"\\"'"`,
    '"a\\nb"',
    '"\\u202ea"',
    '"\\ud800"',
  ]);
  expect(comment("a */ b", undefined, "*\u200b/\n@deprecated {@link x} a@b.c\r\n")).toBe(
    "/**\n * a *\\/ b\n * *\\/\n * \\@deprecated {\\@link x} a@b.c\n */\n",
  );
  expect(comment(" ", undefined)).toBe("");
});
