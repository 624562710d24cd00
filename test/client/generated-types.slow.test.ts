import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { installPackedClient, type PackedClient } from "./packed.ts";
import { generatedTypes } from "./typed-models.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

let packed: PackedClient;
let made: string;
beforeAll(async () => {
  packed = await installPackedClient();
  made = await generatedTypes();
});
afterAll(() => packed?.remove());

const read = (name: string) => readFile(join(import.meta.dirname, name), "utf8");

test("the types of all tasks are those of generated-models.ts, again and again", async () => {
  const kept = await read("generated-models.ts");
  expect(made).toBe(kept.replace("../../client/src/index.ts", "@nearcast/client"));
  expect(await generatedTypes()).toBe(made);
});

test("a formatter leaves them as they are", async () => {
  const file = join(packed.project, "formatted.d.ts");
  await writeFile(file, made);
  await run(join(root, "node_modules/.bin/oxfmt"), ["-c", join(root, ".oxfmtrc.json"), file]);
  expect(await readFile(file, "utf8")).toBe(made);
});

test.each([
  ["node16", "node16"],
  ["esnext", "bundler"],
])("right uses compile and wrong ones do not, under %s and %s", async (module, resolution) => {
  const { project } = packed;
  const uses = (await read("generated-uses.ts"))
    .replace("../../client/src/index.ts", "@nearcast/client")
    .replace("./generated-models.ts", "./models.d.ts");
  await writeFile(join(project, "models.d.ts"), made);
  await writeFile(join(project, "uses.ts"), uses);
  const flags = ["--ignoreConfig", "--noEmit", "--strict", "--target", "es2022"];
  const lib = ["--lib", "es2022,dom", "--types", ""];
  const modules = ["--module", module, "--moduleResolution", resolution];
  const args = [...flags, ...lib, ...modules, "--allowImportingTsExtensions", "uses.ts"];
  const compiled = await run(join(root, "node_modules/.bin/tsc"), args, { cwd: project }).catch(
    (failure: unknown) => failure as { stdout: string },
  );
  expect(compiled.stdout).toBe("");
});
