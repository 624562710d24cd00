import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fillIn, PLATFORMS, projectFiles, projectName } from "../../cli/init/project.ts";

const root = join(import.meta.dirname, "../..");

test("a project deploys to Lambda as this repository does, under its own name", async () => {
  const own = await readFile(join(root, "serverless.yml"), "utf8");
  const parts = [...own.matchAll(/\$\{self:custom\.infra\}\/([\w.-]+)/g)].map(([, file]) => file);
  const files = projectFiles({ name: "flowers", platforms: PLATFORMS });
  const made = String(files.get("serverless.yml"));
  expect(made).toContain("\nservice: flowers\n");
  expect(made.replace("service: flowers", "service: nearcast")).toBe(own);
  expect([...files.keys()].filter((path) => path.startsWith("infra/aws/")).toSorted()).toEqual(
    [...new Set(parts)].map((file) => `infra/aws/${file}`).toSorted(),
  );
  for (const [path, content] of files)
    if (path.startsWith("infra/aws/"))
      expect(content, path).not.toMatch(/nearcast[-/]|[-/]nearcast/);
  expect(projectFiles({ name: "flowers", platforms: ["node"] }).has("serverless.yml")).toBe(false);
});

/** How the part with the environments begins. */
const ENVIRONMENTS = "Environments: ";

test("a project's queues and environments, once the # is taken away, are those of this repository and of the docs", async () => {
  const own = await readFile(join(root, "wrangler.toml"), "utf8");
  const docs = await readFile(join(root, "docs/jobs.md"), "utf8");
  const project = projectFiles({ name: "nearcast", platforms: ["cloudflare"] });
  const made = String(project.get("wrangler.toml"));
  expect(made).not.toMatch(/^\[\[.*queues/m);
  const [ownFirst = "", ownEnvironments = ""] = uncommented(own).split(ENVIRONMENTS);
  const [madeFirst = "", madeEnvironments = ""] = uncommented(made).split(ENVIRONMENTS);
  expect(queueLines(madeFirst)).toEqual(queueLines(ownFirst));
  expect(madeEnvironments).toBe(ownEnvironments);
  expect(ownEnvironments).toContain("[env.production]");
  expect(queueLines(docs.replaceAll("my-models", "nearcast"))).toEqual(queueLines(ownFirst));
  expect(queueLines(ownFirst)).toHaveLength(14);
});

function uncommented(text: string): string {
  return text.replaceAll(/^# ?/gm, "");
}

function queueLines(text: string): string[] {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line) =>
    /^(\[\[queues|queue = |binding = "JOBS"|max_|dead_letter_queue = )/.test(line),
  );
}

test("every placeholder is filled in", () => {
  for (const platform of PLATFORMS)
    for (const [path, content] of projectFiles({ name: "flowers", platforms: [platform] }))
      if (typeof content === "string")
        expect(content.replaceAll("${{", ""), path).not.toMatch(/\{\{[#/a-z]/);
});

test("a part is for the platforms that it names", () => {
  const template = "a\n{{#cloudflare|lambda}}\nb {{name}}\n{{/}}\nc\n";
  expect(fillIn(template, { name: "x", platforms: ["lambda"] })).toBe("a\nb x\nc\n");
  expect(fillIn(template, { name: "x", platforms: ["node"] })).toBe("a\nc\n");
});

describe("the project's name", () => {
  test.each([
    ["my-models", "my-models"],
    ["My Models!", "my-models"],
    ["2024_models", "models"],
    ["x".repeat(80), "x".repeat(48)],
  ])("of %s is %s", (folder, name) => expect(projectName(folder)).toBe(name));

  test("needs a letter", () => expect(() => projectName("2024")).toThrow(/letters/));
});
