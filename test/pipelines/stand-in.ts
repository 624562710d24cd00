import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { root, temporaryFolder } from "../cli/nearcast.ts";

/** What a call prints, and whether it fails. The first entry whose start the arguments have answers. */
export type Answers = Record<string, { says?: string; fails?: string }>;

const SCRIPT = `
const { appendFileSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const args = process.argv.slice(2).join(" ");
appendFileSync(join(__dirname, "calls"), args + "\\n");
const answers = Object.entries(JSON.parse(readFileSync(join(__dirname, "answers.json"), "utf8")));
const [, { says = "", fails }] = answers.find(([start]) => args.startsWith(start)) ?? ["", {}];
console.log(says);
if (fails) console.error(fails);
process.exitCode = fails ? 1 : 0;
`;

/** A project whose osls or wrangler says what the test wants. It is the working directory until the test ends. */
export async function projectWith(tool: "osls" | "wrangler", answers: Answers) {
  const project = await temporaryFolder();
  const before = process.cwd();
  onTestFinished(() => process.chdir(before));
  process.chdir(project);
  const folder = join(project, "node_modules", tool);
  await mkdir(folder, { recursive: true });
  // The clients that osls brings.
  await symlink(join(root, "node_modules/@aws-sdk"), join(project, "node_modules/@aws-sdk"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ bin: { [tool]: "tool.cjs" } }));
  await writeFile(join(folder, "tool.cjs"), SCRIPT);
  await writeFile(join(folder, "answers.json"), JSON.stringify(answers));
  return {
    project,
    /** What it was called with so far. */
    calls: async () => (await readFile(join(folder, "calls"), "utf8")).trim().split("\n"),
  };
}
