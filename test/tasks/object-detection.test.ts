import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Detection } from "../../functions/tasks/object-detection/detection.ts";
import { nearcast } from "../cli/nearcast.ts";
import { everyOf } from "../harness/every-of.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { useTarget } from "../harness/use-target.ts";
import { differenceOf, folder, recordedDetections, setDetection } from "./object-detection.ts";
import { expectSchema } from "../hugging-face/specifications.ts";

const { pictures, cases } = await recordedDetections();
/** Files, where the others are folders, and what they do not say themselves. */
const FILES: Record<string, string[]> = {
  yolo8: [],
  yolo10: [],
  yolo5: [
    "--task object-detection --image 96x64 --pad 114 --resample opencv --labels-from".split(" "),
    join(folder, "yolo-labels.json"),
  ].flat(),
};

const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
for (const { model: name } of cases) {
  const flags = FILES[name];
  const path = join(folder, flags ? `${name}.onnx` : name);
  const command = ["add", path, "--name", name, "--models", models, ...(flags ?? [])];
  expect(await nearcast(command)).toMatchObject({ code: 0, stderr: "" });
  await writeFile(join(models, name, "release.json"), '{"stable":"1"}');
}
for (const name of ["yolo8", "yolo5"]) await setDetection(models, name, { iou: 0.45 });
afterAll(() => rm(models, { recursive: true }));

describe.each(inThisFile(["node", "worker", "lambda"] as const))("on %s", (platform) => {
  const { post, postJson } = useTarget(platform, { models });

  async function ask(name: string, body: object) {
    const response = await postJson(`/v1/models/${name}/predict`, body);
    expect(response.status).toBe(200);
    return ((await response.json()) as { outputs: Detection[][] }).outputs;
  }

  test.each(cases)(
    "pictures have the boxes that were recorded of $model",
    async ({ model, threshold, rows: all }) => {
      expect(pictures).toHaveLength(200);
      // Lambda has the same runtime as Node.
      const step = platform === "lambda" ? 4 : 1;
      const [taken, rows] = [everyOf(pictures, step), everyOf(all, step)];
      const unlike: string[] = [];
      for (let from = 0; from < taken.length; from += 50) {
        const inputs = taken.slice(from, from + 50);
        const outputs = await ask(model, { inputs, parameters: { threshold } });
        expectSchema("object-detection", outputs[0]);
        expect(outputs).toHaveLength(50);
        for (const [at, made] of outputs.entries()) {
          const difference = differenceOf(made, rows[from + at] ?? []);
          if (difference !== undefined) unlike.push(`picture ${(from + at) * step}: ${difference}`);
        }
      }
      expect(unlike).toEqual([]);
    },
  );

  test("a picture comes as bytes, in Hugging Face's form too, with a threshold beside it", async () => {
    const [{ model, rows }] = cases as [(typeof cases)[number]];
    const body = Buffer.from(pictures[2] ?? "", "base64");
    const wanted = (threshold: number) => (rows[2] ?? []).filter(([, score]) => score > threshold);
    const sent = await post(`/v1/models/${model}/predict?threshold=0.4`, "image/jpeg", body);
    const { outputs } = (await sent.json()) as { outputs: Detection[] };
    expect(differenceOf(outputs, wanted(0.4))).toBeUndefined();
    // As Hugging Face's Inference API has it: the pipeline's own threshold is 0.5.
    const asked = await post(`/models/${model}`, "", body);
    expect(differenceOf((await asked.json()) as Detection[], wanted(0.5))).toBeUndefined();
    const parameters = { threshold: 0.4 };
    const given = await postJson(`/models/${model}`, { inputs: pictures[2], parameters });
    expect(differenceOf((await given.json()) as Detection[], wanted(0.4))).toBeUndefined();
  });
});
