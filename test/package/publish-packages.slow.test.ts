import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);
let folder: string;
let registry: Server;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearcast-publish-"));
  await mkdir(join(folder, "client"));
  await cp(join(root, "infra/publish.ts"), join(folder, "infra/publish.ts"));
  for (const [place, name] of [
    [".", "flowers"],
    ["client", "@flowers/client"],
  ] as const)
    await writeFile(join(folder, place, "package.json"), packageOf(name, "1.2.3"));
  await writeFile(join(folder, "CHANGELOG.md"), "# Changelog\n\n## 1.2.3\n\n## 1.2.4-beta.1\n");
  await run("git", ["init", "--quiet"], { cwd: folder });
  await run("git", ["remote", "add", "origin", "https://git.test/flowers.git"], { cwd: folder });
  // It knows no package.
  registry = createServer((_, response) => void response.writeHead(404).end("{}"));
  await new Promise<void>((resolve) => void registry.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  registry.close();
  await rm(folder, { recursive: true });
});

function packageOf(name: string, version: string): string {
  return JSON.stringify({ name, version, type: "module" });
}

function publish(tag: string): Promise<{ stdout: string }> {
  const { port } = registry.address() as AddressInfo;
  const env = { ...process.env, npm_config_registry: `http://127.0.0.1:${port}/` };
  return run(process.execPath, ["infra/publish.ts", tag, "--dry-run"], { cwd: folder, env });
}

test("a dry run publishes nothing and changes no file", async () => {
  const { stdout } = await publish("v1.2.3");
  expect(stdout).toContain("flowers@1.2.3 would be published.");
  expect(stdout).toContain("@flowers/client@1.2.3 would be published.");
  expect(await readFile(join(folder, "package.json"), "utf8")).toBe(packageOf("flowers", "1.2.3"));
});

test.each(["1.2.3", "v1.2", "v1.2.4-beta.1"])("the tag %s is refused", async (tag) => {
  await expect(publish(tag)).rejects.toThrow(/Name the tag/);
});
