import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { projectFiles } from "../../cli/init/project.ts";
import { START } from "../harness/node-server.ts";
import { execOf, readDockerfile, textsOf, variablesOf } from "./dockerfile.ts";

const root = join(import.meta.dirname, "../..");
const own = await readFile(join(root, "Dockerfile"), "utf8");
const project = projectFiles({ name: "flowers", platforms: ["node"] });
const stages = readDockerfile(own);
const last = stages.at(-1);
if (!last) throw new Error("the Dockerfile has no stage");

test("the image of a project is that of this repository, built from the project", () => {
  const made = readDockerfile(String(project.get("Dockerfile")));
  expect(made.at(-1)).toEqual(last);
  expect(made.map(({ from, name }) => [from, name])).toEqual(
    stages.map(({ from, name }) => [from, name]),
  );
  expect(project.get(".dockerignore")).toContain(".env\n");
  expect(projectFiles({ name: "edge", platforms: ["cloudflare"] }).has("Dockerfile")).toBe(false);
});

test("it runs what npm start runs, without a shell, as a user with a number", () => {
  const [node, ...rest] = execOf(last, "ENTRYPOINT");
  expect(node).toBe("/usr/local/bin/node");
  expect(rest.slice(0, -1)).toEqual(START.slice(0, -1));
  expect(rest.at(-1)).toBe("/app/server.mjs");
  const [user = ""] = textsOf(last, "USER");
  expect(user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
});

test("it has the Node of this repository, and every base image has a tag", () => {
  const version = packageJson.devDependencies.node;
  for (const { from } of stages) {
    expect(from).toMatch(/:[\w.-]+$/);
    expect(from).not.toMatch(/:latest$/);
    if (from.startsWith("node:")) expect(from).toBe(`node:${version}-trixie-slim`);
  }
});

test("only its volume is written", () => {
  const written = ["CACHE_DIR", "JOBS_FILE", "TMPDIR"].map((name) => variablesOf(last)[name]);
  const [volume = ""] = textsOf(last, "VOLUME");
  expect(JSON.parse(volume)).toEqual(["/cache"]);
  for (const path of written) expect(path).toMatch(/^\/cache(\/|$)/);
});
