import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addVersion } from "../../cli/add/version.ts";
import { openApp, RUNTIMES, wrongAnswer } from "./ask.ts";
import { readCases } from "./case.ts";

const folders = ["backend-cases/kept", "odd-graphs"].map((folder) =>
  join(import.meta.dirname, "../fixtures", folder),
);
const cases = (
  await Promise.all(
    folders.map(async (folder) => (await readCases(folder)).map((one) => ({ ...one, folder }))),
  )
).flat();
const models = await mkdtemp(join(tmpdir(), "nearcast-cases-"));
const apps = RUNTIMES.map((runtime) => ({ runtime, app: openApp(models, runtime) }));
afterAll(() => rm(models, { recursive: true }));

describe.each(cases)("$name", (one) => {
  const { name, folder } = one;
  beforeAll(async () => {
    await addVersion(join(folder, `${name}.onnx`), { name, models });
    await writeFile(join(models, name, "release.json"), '{"stable":"1"}');
  });

  test.each(apps)("is added, and answers right on $runtime", async ({ app }) => {
    expect(await wrongAnswer(app, name, one, "json")).toBeUndefined();
    expect(await wrongAnswer(app, name, one, "binary")).toBeUndefined();
  });
});
