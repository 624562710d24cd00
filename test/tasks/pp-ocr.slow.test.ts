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

/** The package's own graphs, where `.ci/run` has installed it. */
const installed = join(import.meta.dirname, "../../.cache/rapidocr/rapidocr_onnxruntime");
const isThere = existsSync(installed);
if (!isThere) console.log("rapidocr-onnxruntime is not in .cache: its own graphs are not tested");

const file = await readFile(join(folder, "pp-ocr.json.gz"));
const {
  pictures: long,
  rows,
  directions,
} = JSON.parse(gunzipSync(file).toString()) as {
  pictures: string[];
  rows: RecordedText[];
  directions: [label: string, score: number][];
};
const pictures = [...(await recordedTexts()).pictures.slice(0, 160), ...long];

/** What `add` is told of each graph, by the name of the model. */
const ADDED = {
  lines: ["ch_PP-OCRv4_rec_infer.onnx"],
  directions: [
    "ch_ppocr_mobile_v2.0_cls_infer.onnx",
    ..."--image 192x48 --fill 0 --resample opencv --bgr --mean 0.5 --std 0.5".split(" "),
    ..."--labels 0,180 --scores probabilities".split(" "),
  ],
};

describe.skipIf(!isThere)("PP-OCR's own graphs", () => {
  let models: string;
  let worker: Target;
  beforeAll(async () => {
    models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
    for (const [name, [graph = "", ...flags]] of Object.entries(ADDED)) {
      const path = join(installed, "models", graph);
      const command = ["add", path, "--name", name, "--models", models, ...flags];
      expect(await nearcast(command)).toMatchObject({ code: 0, stderr: "" });
      await writeFile(join(models, name, "release.json"), '{"stable":"1"}');
    }
    worker = await targets.worker({ models });
  });
  afterAll(async () => {
    await worker?.stop();
    await rm(models, { recursive: true });
  });

  async function inWorkerd(model: string, inputs: readonly string[]): Promise<unknown> {
    const response = await worker.fetch(`/v1/models/${model}/predict`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs }),
    });
    return ((await response.json()) as { outputs: unknown }).outputs;
  }

  async function answersOf(model: string, runtime: "native" | "wasm" | "workerd") {
    const own = runtime === "workerd" ? undefined : openService(models, runtime);
    const answers: unknown[] = [];
    for (let from = 0; from < pictures.length; from += 10) {
      const inputs = pictures.slice(from, from + 10);
      const made = own ? (await own.predict(model, inputs)).outputs : inWorkerd(model, inputs);
      answers.push(...((await made) as unknown[]));
    }
    return answers;
  }

  describe.each(["native", "wasm", "workerd"] as const)("on %s", (runtime) => {
    test("200 lines are read as RapidOCR reads them", async () => {
      expect(pictures).toHaveLength(200);
      expect(rows).toHaveLength(200);
      const answers = await answersOf("lines", runtime);
      expect(unlikeTexts(answers as ReadText[], rows)).toEqual([]);
    });

    test("200 lines are upside down where RapidOCR says so", async () => {
      expect(directions).toHaveLength(200);
      const answers = (await answersOf("directions", runtime)) as {
        label: string;
        score: number;
      }[];
      const unlike = directions.filter(
        ([label, score], at) =>
          answers[at]?.label !== label || !(Math.abs(answers[at].score - score) < 1e-4),
      );
      expect(unlike).toEqual([]);
    });
  });
});
