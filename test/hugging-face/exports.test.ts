import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { draftFromHuggingFace } from "../../cli/add/from-hugging-face.ts";
import { openPredictor } from "../../cli/predictor.ts";
import type { ManifestOf } from "../../functions/model/manifest.ts";
import type { textOptions } from "../../functions/tasks/text/options.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { openEncoder } from "../tasks/encoder.ts";
import { addExport, exportFolder } from "./export-folder.ts";
import { expectAnswers, expectNear, recorded, refused } from "./exports.ts";

const RUNTIMES = inThisFile(["native", "wasm"] as const);

const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
afterAll(() => rm(models, { recursive: true }));

test("fifteen exports and more are recorded", () => {
  expect(recorded.length).toBeGreaterThan(15);
});

describe.each(recorded)("$name ($about)", (one) => {
  const { name, inputs, prompted = {} } = one;
  const added = addExport(models, name);

  test("has the token ids of AutoTokenizer", async () => {
    const { folder, manifest } = await added;
    const { text } = manifest as ManifestOf<typeof textOptions>;
    if (!text) throw new Error("it has no tokenizer");
    const files = ["tokenizer.json", "tokenizer_config.json"];
    const assets = new Map(
      await Promise.all(
        files.map(async (file) => [file, await readFile(join(folder, file))] as const),
      ),
    );
    const { encode } = openEncoder(text, assets);
    const prompt = text.prompts?.[text.defaultPrompt ?? ""] ?? "";
    const made = inputs.map((input) =>
      typeof input === "string"
        ? encode({ text: prompt + input })
        : encode({ text: input.text, pair: input.text_pair }),
    );
    expect(made.map(({ input_ids }) => input_ids)).toEqual(one.ids);
    if (one.types) expect(made.map(({ token_type_ids }) => token_type_ids)).toEqual(one.types);
  });

  test.each(RUNTIMES)("has the answers of Python on %s", async (runtime) => {
    const predictor = await openPredictor(await added, runtime);
    expectAnswers(one, await predictor.predict(inputs));
    for (const [prompt, vectors] of Object.entries(prompted))
      expectNear(
        await predictor.predict(inputs.slice(0, vectors.length), { prompt_name: prompt }),
        vectors,
        prompt,
      );
  });
});

test.each(refused)("$name ($about) is refused", async ({ from, change, refused: reason }) => {
  const { folder, remove } = await exportFolder(from, change);
  const failure = await draftFromHuggingFace(folder, {}).catch((error: Error) => error);
  await remove();
  expect(failure).toBeInstanceOf(Error);
  expect((failure as Error).message).toContain(reason);
});

test("a prompt that the model does not have is refused, with the names of those that it has", async () => {
  const asked = { prompt_name: "question" };
  const withPrompts = await openPredictor(
    await addExport(await folder(), "e5-default-prompt"),
    "native",
  );
  await expect(withPrompts.predict("text", asked)).rejects.toThrow(/must be one of query, passage/);
  const without = await openPredictor(await addExport(await folder(), "gte-small"), "native");
  await expect(without.predict("text", asked)).rejects.toThrow(/this model has none/);
});

function folder(): Promise<string> {
  return mkdtemp(join(models, "other-"));
}
