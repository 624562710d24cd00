import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import { addExport } from "../hugging-face/export-folder.ts";
import { expectAllRecorded } from "./recorded-tasks.ts";
import { openService, RUNTIMES } from "./service.ts";

// In workerd: text-tasks.slow.test.ts.
const names = ["classes-bert", "classes-roberta", "numbers-bert"];
const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
for (const name of names) await addExport(models, name);

describe.each(inThisFile(RUNTIMES))("on %s", (runtime) => {
  test.each(names)("200 texts and pairs have the scores of %s in pipeline()", async (name) => {
    const { predict } = openService(models, runtime);
    await expectAllRecorded(name, predict);
  });
});
