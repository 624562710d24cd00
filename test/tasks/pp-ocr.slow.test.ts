import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ReadText } from "../../functions/tasks/image-to-text/reader.ts";
import { nearcast } from "../cli/nearcast.ts";
import { targets, type Target } from "../harness/targets.ts";
import { folder, recordedTexts, unlikeTexts, type RecordedText } from "./image-to-text.ts";
import { openService } from "./service.ts";

/** The package's own graph, where `.ci/run` has installed it. */
const installed = join(import.meta.dirname, "../../.cache/rapidocr/rapidocr_onnxruntime");
const model = join(installed, "models/ch_PP-OCRv4_rec_infer.onnx");
const isThere = existsSync(model);
if (!isThere) console.log("rapidocr-onnxruntime is not in .cache: its own graph is not tested");

const file = await readFile(join(folder, "pp-ocr.json.gz"));
const { pictures: long, rows } = JSON.parse(gunzipSync(file).toString()) as {
  pictures: string[];
  rows: RecordedText[];
};
const pictures = [...(await recordedTexts()).pictures.slice(0, 160), ...long];

describe.skipIf(!isThere)("PP-OCRv4's recogniser", () => {
  let models: string;
  let worker: Target;
  beforeAll(async () => {
    models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
    const outcome = await nearcast(["add", model, "--name", "lines", "--models", models]);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    await writeFile(join(models, "lines/release.json"), '{"stable":"1"}');
    worker = await targets.worker({ models });
  });
  afterAll(async () => {
    await worker?.stop();
    await rm(models, { recursive: true });
  });

  async function inWorkerd(inputs: readonly string[]): Promise<unknown> {
    const response = await worker.fetch("/v1/models/lines/predict", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs }),
    });
    return ((await response.json()) as { outputs: unknown }).outputs;
  }

  test.for(["native", "wasm", "workerd"] as const)(
    "reads 200 lines as RapidOCR does, on %s",
    async (runtime) => {
      expect(pictures).toHaveLength(200);
      expect(rows).toHaveLength(200);
      const own = runtime === "workerd" ? undefined : openService(models, runtime);
      const ask = async (inputs: readonly string[]) =>
        own ? (await own.predict("lines", inputs)).outputs : inWorkerd(inputs);
      const answers: ReadText[] = [];
      for (let from = 0; from < pictures.length; from += 10)
        answers.push(...((await ask(pictures.slice(from, from + 10))) as ReadText[]));
      expect(unlikeTexts(answers, rows)).toEqual([]);
    },
  );
});
