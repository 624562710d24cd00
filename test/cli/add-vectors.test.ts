import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openPackage } from "../../cli/package-folder.ts";
import { openPredictor } from "../../cli/predictor.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { expectRefused } from "./expect-refused.ts";
import { root, succeed, temporaryFolder } from "./nearcast.ts";

const LIMIT_MS = 300_000;

interface Row {
  text: string;
  mean: number[];
  cls: number[];
}

/** An export folder as sentence-transformers and optimum write it, around the BERT-shaped fixture. */
async function vectorExport(files: Record<string, unknown>): Promise<string> {
  const folder = await temporaryFolder();
  for (const file of ["model.onnx", "model.onnx_data"])
    await cp(join(root, "test/fixtures/bert", file), join(folder, file));
  const tokenizer = join(root, "test/fixtures/tokenizers/wordpiece.json");
  const all = {
    "config.json": { architectures: ["BertModel"], max_position_embeddings: 128 },
    "tokenizer.json": JSON.parse(await readFile(tokenizer, "utf8")) as unknown,
    "tokenizer_config.json": { model_max_length: 16, pad_token: "[PAD]" },
    ...files,
  };
  await mkdir(join(folder, "1_Pooling"));
  for (const [file, content] of Object.entries(all))
    await writeFile(join(folder, file), JSON.stringify(content));
  return folder;
}

function modules(...types: string[]) {
  return types.map((type, idx) => ({ idx, type: `sentence_transformers.models.${type}` }));
}

test.for(
  inThisFile([
    ["mean", false],
    ["cls", true],
  ] as const),
)(
  "a Hugging Face export for sentence vectors brings its pooling: %s, length one: %s",
  { timeout: LIMIT_MS },
  async ([pooling, normalize]) => {
    const folder = await vectorExport({
      "modules.json": modules("Transformer", "Pooling", ...(normalize ? ["Normalize"] : [])),
      "1_Pooling/config.json": {
        word_embedding_dimension: 16,
        pooling_mode_cls_token: pooling === "cls",
        pooling_mode_mean_tokens: pooling === "mean",
        pooling_mode_max_tokens: false,
      },
    });
    const models = await temporaryFolder();
    await succeed(["add", folder, "--name", "vectors", "--models", models]);
    await succeed(["verify", "vectors", "--record", "--models", models]);
    const local = await openPackage(models, { name: "vectors" });
    expect(local.manifest).toMatchObject({
      task: "feature-extraction",
      outputs: [{ name: "last_hidden_state", shape: [-1, -1, 16] }],
      text: { tokenizer: "tokenizer.json", maxLength: 16, pooling, normalize },
      artifact: { externalData: [{ file: "model.onnx_data" }] },
    });
    const path = join(root, "test/fixtures/bert/expected.json");
    const rows = JSON.parse(await readFile(path, "utf8")) as Row[];
    for (const runtime of ["native", "wasm"] as const) {
      const texts = rows.map(({ text }) => text);
      const predictor = await openPredictor(local, runtime);
      const vectors = (await predictor.predict(texts)) as number[][];
      for (const [index, row] of rows.entries()) {
        const length = normalize ? Math.hypot(...row[pooling]) : 1;
        for (const [at, value] of row[pooling].entries())
          expect(vectors[index]?.[at]).toBeCloseTo(value / length, 4);
      }
    }
  },
);

const MEAN = { "1_Pooling/config.json": { pooling_mode_mean_tokens: true } };
const wordpiece = JSON.parse(
  await readFile(join(root, "test/fixtures/tokenizers/wordpiece.json"), "utf8"),
) as { added_tokens: object[] };

test.for(
  inThisFile([
    [
      "a layer behind the pooling",
      { "modules.json": modules("Transformer", "Pooling", "Dense") },
      "Dense",
    ],
    [
      "two poolings at once",
      { "1_Pooling/config.json": { pooling_mode_cls_token: true, pooling_mode_mean_tokens: true } },
      "pooling_mode_cls_token and pooling_mode_mean_tokens",
    ],
    [
      "a charsmap of SentencePiece",
      {
        ...MEAN,
        "tokenizer.json": {
          ...wordpiece,
          normalizer: { type: "Sequence", normalizers: [{ type: "Precompiled" }] },
        },
      },
      "Precompiled",
    ],
  ] as const),
)("an export with %s is refused with the reason", async ([, files, reason]) => {
  await expectRefused(await vectorExport(files), reason);
});
