import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { nearcast } from "../cli/nearcast.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { useTarget } from "../harness/use-target.ts";
import { expectRecorded } from "./recorded-tasks.ts";
import { fixture } from "./service.ts";
import { pictures } from "./zero-shot-images.ts";

// What transformers' pipeline makes of 200 pictures: the scores by label, the highest first.
const { cases } = JSON.parse(
  gunzipSync(await fixture("hugging-face/tasks/image-classes.json.gz")).toString(),
) as { cases: { export: string; outputs: Record<string, number>[] }[] };

const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
for (const { export: name } of cases) {
  const folder = join(import.meta.dirname, "../fixtures/hugging-face", name);
  const outcome = await nearcast(["add", folder, "--name", name, "--models", models]);
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  await writeFile(join(models, name, "release.json"), '{"stable":"1"}');
}
afterAll(() => rm(models, { recursive: true }));

const PLATFORMS = ["node", "nodeWasm", "worker", "lambda"] as const;

describe.each(inThisFile(PLATFORMS))("on %s", (platform) => {
  const { postJson } = useTarget(platform, { models });

  test.each(cases)("200 pictures have the scores of $export", async ({ export: name, outputs }) => {
    expect(outputs).toHaveLength(200);
    const response = await postJson(`/v1/models/${name}/predict`, { inputs: pictures });
    expect(response.status).toBe(200);
    const answers = ((await response.json()) as { outputs: unknown[] }).outputs;
    const rows = outputs.map((scores, at) => {
      const [[label, score] = []] = Object.entries(scores);
      return { inputs: at, parameters: {}, outputs: { label, score, scores } };
    });
    expectRecorded(answers, rows);
  });
});
