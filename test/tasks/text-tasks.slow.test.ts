import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { targets, type Target } from "../harness/targets.ts";
import { addExport } from "../hugging-face/export-folder.ts";
import { answersTo, expectRecorded, recordedRows } from "./recorded-tasks.ts";
import { fixture } from "./service.ts";

const { cases } = JSON.parse(
  Buffer.from(await fixture("hugging-face/tasks/recorded.json")).toString(),
) as { cases: { name: string; task: string }[] };
const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
for (const { name, task } of cases) await addExport(models, name, task);
afterAll(() => rm(models, { recursive: true }));

describe("in workerd", () => {
  let target: Target;
  beforeAll(async () => {
    target = await targets.worker({ models });
  });
  afterAll(() => target.stop());

  test.each(cases)("$name answers 200 inputs as Python does", async ({ name }) => {
    const rows = await recordedRows(name);
    const answers = await answersTo(rows, async (inputs, parameters) => {
      const response = await target.fetch(`/v1/models/${name}/predict`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs, parameters }),
      });
      const text = await response.text();
      expect(response.status, text).toBe(200);
      return (JSON.parse(text) as { outputs: unknown }).outputs;
    });
    expectRecorded(answers, rows);
  });
});
