import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { asUser, curl, makeClone } from "./harness/as-a-user.ts";
import { blocks, root } from "./readme.ts";

const LIMIT_MS = 600_000;

let clone = "";
let unreachable = false;
beforeAll(async () => {
  clone = await makeClone();
  unreachable = await promisify(execFile)("npm", ["ping"]).then(
    () => false,
    () => true,
  );
  if (unreachable) console.log("npm's registry cannot be reached: nothing is installed");
});
test.beforeEach((context) => context.skip(unreachable, "npm's registry cannot be reached"));

interface Lock {
  packages: Record<string, { version?: string; dev?: boolean }>;
}

test(
  "npm has nothing to warn of but tools that run on the Node they bring",
  async () => {
    // Without --loglevel it is the repository's own .npmrc that says what is shown.
    expect(await asUser("npm ci --dry-run", clone)).not.toContain("npm warn");
    const output = await asUser("npm ci --dry-run --loglevel=warn --strict-allow-scripts", clone);
    const warnings = output.split("\n").filter((line) => line.startsWith("npm warn"));
    expect(warnings.filter((line) => !line.startsWith("npm warn EBADENGINE"))).toEqual([]);
    const { packages } = JSON.parse(
      await readFile(join(root, "package-lock.json"), "utf8"),
    ) as Lock;
    for (const [, name = "", version] of output.matchAll(/package: '(.+)@(.+)'/g))
      expect(packages[`node_modules/${name}`], name).toMatchObject({ version, dev: true });
  },
  LIMIT_MS,
);

test(
  "npm ci --omit=dev && npm start in a fresh copy, without a warning, on the Node that is installed",
  async () => {
    const output = await asUser("npm ci --omit=dev && npm start", clone, {
      marker: /petal_width": 0.1}}'/,
      env: { PORT: "8794", npm_config_loglevel: "warn" },
    });
    expect(output).not.toMatch(/npm (warn|error)/i);
    await expect(readFile(join(clone, "node_modules/.bin/node"))).rejects.toThrow("ENOENT");
    const asked = blocks.find((block) => block.startsWith("curl")) ?? "";
    expect(await curl(asked, 8794)).toMatchObject({ model: "iris", outputs: { label: "setosa" } });
  },
  LIMIT_MS,
);
