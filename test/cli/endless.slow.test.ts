import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openPackage } from "../../cli/package-folder.ts";
import { verifyPackage } from "../../cli/verify.ts";

let models: string;
beforeEach(async () => {
  models = await mkdtemp(join(tmpdir(), "nearcast-endless-"));
});
afterEach(() => rm(models, { recursive: true }));

test("an example that never ends is refused, and does not hold the command", async () => {
  await cp(join(import.meta.dirname, "../fixtures/slow"), join(models, "slow"), {
    recursive: true,
  });
  const file = join(models, "slow/1/model.json");
  const manifest = JSON.parse(await readFile(file, "utf8")) as object;
  // A loop of this many turns ends in some hundred years.
  const examples = [{ input: { iterations: [10 ** 15] }, output: { y: [0] } }];
  await writeFile(file, JSON.stringify({ ...manifest, examples }));
  const local = await openPackage(models, { name: "slow", version: "1" });
  for (const runtime of ["native", "wasm"] as const)
    await expect(
      verifyPackage(local, { runtimes: [runtime], tolerance: 0, record: false, limitMs: 15_000 }),
    ).rejects.toThrow(`measured on ${runtime}: its examples did not end within 15 s`);
});
