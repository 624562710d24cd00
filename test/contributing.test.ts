import { execFile } from "node:child_process";
import { readdir, readFile, rm, mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "./readme.ts";

const run = promisify(execFile);
const page = await readFile(join(root, "CONTRIBUTING.md"), "utf8");

/** The text of each example, by the file that its first line names. */
const examples = new Map(
  [...page.matchAll(/```ts\n\/\/ (\S+)\n([^]*?)```/g)].map(([, file = "", code = ""]) => [
    file,
    code,
  ]),
);
const tests = [...examples.keys()].filter((file) => file.endsWith(".test.ts"));

/** What a project has in node_modules is in functions/ here. */
const ENTRIES: Record<string, string> = {
  nearcast: "index.ts",
  "nearcast/node": "node.ts",
  "nearcast/testing": "testing.ts",
};

// Below the repository, so that its packages are found.
const folder = join(root, ".cache/contributing");

beforeAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [file, code] of examples) {
    const own = code.replaceAll(/ from "(nearcast(?:\/\w+)?)"/g, (_, name: string) => {
      return ` from "../../functions/${ENTRIES[name]}"`;
    });
    await writeFile(join(folder, file), own);
  }
  const config = { extends: "../../tsconfig.json", include: ["*.ts"], exclude: [] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("the examples compile", async () => {
  await run("npx", ["tsc", "--project", folder], { cwd: root }).catch(
    ({ stdout }: { stdout: string }) => expect(stdout).toBe(""),
  );
});

test("each guide has an example with a test", () => {
  const guides = page.split("\n### ").slice(1);
  expect(guides.map((guide) => guide.split("\n")[0])).toEqual([
    "A task",
    "A dialect",
    "A store",
    "A limiter",
    "A source of features",
    "An observer",
  ]);
  for (const guide of guides) expect(guide.match(/\n\/\/ \S+\.test\.ts\n/g)).toHaveLength(1);
});

test.each(tests)("%s passes", async (file) => {
  const { stdout } = await run(process.execPath, ["--test", join(folder, file)], {
    cwd: root,
  }).catch((error: { stdout: string }) => error);
  expect(stdout).toMatch(/pass [1-9]\d*\n/);
  expect(stdout).toContain("fail 0\n");
});

const layout = /## Layout\n\n```\n([^]*?)```/.exec(page)?.[1] ?? "";

/** What the layout names: paths, the folder of which stands above them. */
function named(): string[] {
  let above = "";
  return layout.split("\n").flatMap((line) => {
    const isBelow = line.startsWith("  ") && line.trim() !== "";
    const names = (/^ *(\S+(?: · \S+)*)/.exec(line)?.[1] ?? "").split(" · ").filter(Boolean);
    if (!isBelow) above = names[0] ?? "";
    return names.map((name) => (isBelow ? `${above}${name}` : name));
  });
}

test("what the layout names is there", async () => {
  expect(named().length).toBeGreaterThan(20);
  for (const path of named()) await stat(join(root, path));
});

test("the layout names every folder of functions/ and every folder that git has", async () => {
  const { stdout } = await run("git", ["ls-tree", "-d", "--name-only", "HEAD"], { cwd: root });
  const folders = stdout.split("\n").filter((name) => name !== "" && !name.startsWith("."));
  const entries = await readdir(join(root, "functions"), { withFileTypes: true });
  const inside = entries.filter((entry) => entry.isDirectory());
  for (const name of [...folders, ...inside.map((entry) => `functions/${entry.name}`)])
    expect(named()).toContain(`${name}/`);
});

test("the table of extensions names files that are there", async () => {
  const cells = [...page.matchAll(/^\| an? .*$/gm)].flatMap(([row]) =>
    [...row.matchAll(/`([^`<]+\/[^`<]*)`/g)].map(([, path = ""]) => path),
  );
  expect(cells.length).toBeGreaterThan(7);
  for (const path of cells) await stat(join(root, path));
});
