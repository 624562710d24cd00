import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { SegmentAnswer } from "../../functions/tasks/image-segmentation/segments.ts";
import { nearcast } from "../cli/nearcast.ts";
import { everyOf } from "../harness/every-of.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { useTarget } from "../harness/use-target.ts";
import { folder, maskOf, recordedSegments, unlikePixels } from "./image-segmentation.ts";
import { expectSchema } from "../hugging-face/specifications.ts";

const { pictures, cases } = await recordedSegments();

const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
for (const name of new Set(cases.map(({ model }) => model))) {
  const command = ["add", join(folder, name), "--name", name, "--models", models];
  expect(await nearcast(command)).toMatchObject({ code: 0, stderr: "" });
  await writeFile(join(models, name, "release.json"), '{"stable":"1"}');
}
afterAll(() => rm(models, { recursive: true }));

/**
 * Where two labels are equal but for rounding, a pixel may have the other one: networks compute a little otherwise on each
 * runtime. So many pixels of all 200 pictures may, of some 900,000.
 */
const MOST_UNLIKE = 10;

/** All of them on native and in workerd, but not in the quick suite. Lambda has the same runtime as Node. */
const VARIANTS = [
  { platform: "node", step: 10 },
  { platform: "node", step: 1 },
  { platform: "worker", step: 1 },
  { platform: "lambda", step: 10 },
] as const;

describe.each(inThisFile(VARIANTS))("on $platform, one in $step", ({ platform, step }) => {
  const { post, postJson } = useTarget(platform, { models });

  async function ask(name: string, body: object) {
    const response = await postJson(`/v1/models/${name}/predict`, body);
    expect(response.status).toBe(200);
    return ((await response.json()) as { outputs: SegmentAnswer[][] }).outputs;
  }

  test.each(cases)(
    "pictures have the masks that were recorded of $model with $parameters",
    async ({ model, parameters, rows: all, undecided = {} }) => {
      expect(pictures).toHaveLength(200);
      expect(all.length).toBeGreaterThanOrEqual(10);
      const taken = everyOf(pictures.slice(0, all.length), step);
      const rows = everyOf(all, step);
      let unlike = 0;
      // Half of them as they are written by each code.
      const together = Math.min(50, Math.ceil(taken.length / 2));
      for (let from = 0; from < taken.length; from += together) {
        const inputs = taken.slice(from, from + together);
        const encoding = (from / together) % 2 === 0 ? "png" : "rle";
        const outputs = await ask(model, { inputs, parameters: { ...parameters, encoding } });
        if (encoding === "png") expectSchema("image-segmentation", outputs[0]);
        expect(outputs).toHaveLength(inputs.length);
        for (const [at, made] of outputs.entries()) {
          // Such a pixel may be in the one segment or in the other.
          const either = 2 * (undecided[(from + at) * step] ?? 0);
          unlike += Math.max(0, unlikePixels(made, rows[from + at] ?? []) - either);
        }
      }
      expect(unlike).toBeLessThanOrEqual(MOST_UNLIKE);
    },
  );

  test("a picture comes as bytes, in parts of a form, and in Hugging Face's form", async () => {
    const [{ model, rows }] = cases as [(typeof cases)[number]];
    const body = Buffer.from(pictures[3] ?? "", "base64");
    const wanted = rows[3] ?? [];
    const sent = await post(`/v1/models/${model}/predict?encoding=rle`, "image/png", body);
    const { outputs } = (await sent.json()) as { outputs: SegmentAnswer[] };
    expect(outputs[0]?.mask).toEqual({ size: maskOf(outputs[0]!).size, counts: wanted[0]?.[1] });
    expect(unlikePixels(outputs, wanted)).toBeLessThanOrEqual(2);
    const form = new FormData();
    form.set("file", new Blob([body]), "picture.png");
    form.set("parameters", '{"encoding": "rle"}');
    const parted = await post(`/v1/models/${model}/predict`, "", form);
    expect(await parted.json()).toMatchObject({ outputs });
    const asked = await post(`/models/${model}`, "", body);
    const answer = (await asked.json()) as SegmentAnswer[];
    expectSchema("image-segmentation", answer);
    expect(unlikePixels(answer, wanted)).toBeLessThanOrEqual(2);
  });
});
