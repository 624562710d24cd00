import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { nearcast } from "../cli/nearcast.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { useTarget } from "../harness/use-target.ts";
import { fixture } from "./service.ts";

// What transformers makes of 200 pictures, by export and by the flags of `add`.
const { pictures, cases } = JSON.parse(
  gunzipSync(await fixture("hugging-face/tasks/image-vectors.json.gz")).toString(),
) as {
  pictures: string[];
  cases: { export: string; flags: string[]; outputs: (number[] | number[][])[] }[];
};
const folderOf = (name: string) => join(import.meta.dirname, "../fixtures/hugging-face", name);
const named = cases.map((one, index) => ({ ...one, name: `${one.export}-${index}` }));

const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
for (const { name, export: folder, flags } of named) {
  const command = ["add", folderOf(folder), "--name", name, "--models", models, ...flags];
  expect(await nearcast(command)).toMatchObject({ code: 0, stderr: "" });
  await writeFile(join(models, name, "release.json"), '{"stable":"1"}');
}
afterAll(() => rm(models, { recursive: true }));

const PLATFORMS = ["node", "nodeWasm", "worker", "lambda"] as const;

describe.each(inThisFile(PLATFORMS))("on %s", (platform) => {
  const { post, postJson } = useTarget(platform, { models });
  const ask = (name: string, inputs: unknown) => postJson(`/v1/models/${name}/predict`, { inputs });

  test.each(named)("pictures have the vectors of $export $flags", async ({ name, outputs }) => {
    expect(pictures).toHaveLength(200);
    const response = await ask(name, pictures.slice(0, outputs.length));
    expect(response.status).toBe(200);
    const answer = (await response.json()) as { outputs: unknown[] };
    const unlike = outputs.flatMap((wanted, at) =>
      isNear(answer.outputs[at], wanted) ? [] : [at],
    );
    expect(unlike).toEqual([]);
    expect(answer.outputs).toHaveLength(outputs.length);
  });

  test("a picture comes as bytes, and text that is none is refused", async () => {
    const [{ name, outputs }] = named as [(typeof named)[number]];
    const body = Buffer.from(pictures[0] ?? "", "base64");
    const sent = await post(`/v1/models/${name}/predict`, "image/jpeg", body);
    expect(isNear(((await sent.json()) as { outputs: unknown }).outputs, outputs[0])).toBe(true);
    // As Hugging Face's Inference API has it.
    const asked = await post(`/models/${name}`, "", body);
    expect(isNear(await asked.json(), outputs[0])).toBe(true);
    const refused = await ask(name, "no picture");
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({
      errors: [{ path: "inputs", message: "must be an image as a base64 string" }],
    });
  });
});

function isNear(made: unknown, wanted: unknown): boolean {
  if (typeof wanted === "number") return Math.abs((made as number) - wanted) < 1e-4;
  if (!Array.isArray(made) || !Array.isArray(wanted) || made.length !== wanted.length) return false;
  return wanted.every((one, at) => isNear(made[at], one));
}

test.each([
  ["vit-vectors", [], "say it with --pooling: cls, mean or max of the parts"],
  ["resnet-vectors", ["--pooling", "cls"], "vector.pooling cls needs an output [-1, parts, size]"],
  ["clip-vectors", ["--pooling", "pooler"], "the output pooler_output"],
  ["vit-vectors", ["--pooling", "splade"], "--pooling splade is not for this model"],
  ["vit-vectors", ["--labels", "a,b"], "--labels go with a classifier"],
])("%s %j is refused", async (folder, flags, reason) => {
  const command = ["add", folderOf(folder), "--name", "it", "--models", models, ...flags];
  const outcome = await nearcast(command);
  expect(outcome).toMatchObject({ code: 1, stdout: "" });
  expect(outcome.stderr).toContain(reason);
});
