import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

let folder: string;
let tarball: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearcast-client-"));
  const pack = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder];
  const { stdout } = await run("npm", pack, { cwd: join(root, "client") });
  tarball = join(folder, stdout.trim());
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each([
  ["publint", "run", "--strict"],
  ["attw", "--profile", "esm-only"],
])("%s", (name, ...args) => {
  const command = join(root, "node_modules/.bin", name);

  test.runIf(existsSync(command))("finds nothing in the packed client", async () => {
    const { stdout, code } = await run(command, [...args, tarball]).then(
      ({ stdout }) => ({ stdout, code: 0 }),
      (failure: { stdout: string; code: number }) => failure,
    );
    expect(code, stdout).toBe(0);
  });
});
