import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openPackage } from "../../cli/package-folder.ts";
import { CONVERSION_LIMIT_MS, suiteFolder, torch } from "./converting.ts";
import { nearcastProcess, root, temporaryFolder } from "./nearcast.ts";

if (!torch.isMade) console.log("transformers' environment was not made yet: skipped.");

describe.skipIf(!torch.isMade)(
  "convert of a Hugging Face folder",
  { timeout: CONVERSION_LIMIT_MS },
  () => {
    let folders: string;
    let models: string;
    const convert = (name: string, ...flags: string[]) =>
      nearcastProcess([
        "convert",
        join(folders, name),
        "--name",
        "it",
        "--models",
        models,
        ...flags,
      ]);

    beforeAll(async () => {
      folders = await suiteFolder();
      const script = join(root, "test/fixtures/conversions/hugging_face.py");
      const names = [
        "distilbert-sst2",
        "ner-bert",
        "vit-classes",
        "all-minilm",
        "modernbert-embed",
      ];
      await promisify(execFile)(torch.python, [script, folders, ...names]);
    }, CONVERSION_LIMIT_MS);
    beforeEach(async () => {
      models = join(await temporaryFolder(), "models");
    });

    test.each([
      ["distilbert-sst2", "text-classification"],
      ["ner-bert", "token-classification"],
      ["vit-classes", "image-classification"],
      ["all-minilm", "feature-extraction"],
      ["modernbert-embed", "feature-extraction"],
    ])("%s is a %s model, and answers as transformers does", async (name, task) => {
      const { code, stdout, stderr } = await convert(name);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(/Compared \d+ inputs with the original on native and WASM/);
      expect(stdout).toMatch(/Its answers to [1-9]\d* inputs are those of transformers/);
      expect((await openPackage(models, { name: "it" })).manifest.task).toBe(task);
    });

    test("a pickle of weights needs --trust", async () => {
      const folder = join(folders, "ner-bert");
      await rm(join(folder, "model.safetensors"));
      await writeFile(join(folder, "pytorch_model.bin"), "");
      const { code, stderr } = await convert("ner-bert");
      expect(code).toBe(1);
      expect(stderr).toContain("pytorch_model.bin is a pickle");
      expect(stderr).toContain("say --trust");
    });
  },
);
