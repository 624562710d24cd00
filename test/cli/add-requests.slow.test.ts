import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";
import { exportFolder } from "../hugging-face/export-folder.ts";
import { FLAGS } from "../tasks/image-to-text.ts";
import { BUILT_IN_TASKS } from "../../functions/tasks/built-in.ts";
import { recorded } from "../audio/recorded.ts";
import { recordingOf } from "../audio/recordings.ts";
import { GRU } from "../audio/voice.ts";
import { root, succeed } from "./nearcast.ts";

const run = promisify(execFile);

/** What is added, and how. A name alone is an export in fixtures/hugging-face. */
const ADDED: Record<string, [path: string, ...args: string[]]> = {
  "text-classification": ["distilbert-sst2"],
  "text-regression": ["regression-two"],
  "token-classification": ["ner-bert"],
  "text-ranking": ["rank-bert", "--task", "text-ranking"],
  "question-answering": ["qa-roberta"],
  "zero-shot-classification": ["nli-bert", "--task", "zero-shot-classification"],
  "fill-mask": ["mask-roberta"],
  "feature-extraction": ["all-minilm"],
  "feature-extraction-splade": ["splade-bert"],
  "sentence-similarity": ["similar-bert", "--task", "sentence-similarity"],
  "tabular-classification": [
    "models/iris/1/model.onnx",
    "--features",
    "sepal_length,sepal_width,petal_length,petal_width",
    "--labels",
    "setosa,versicolor,virginica",
  ],
  "tabular-regression": [
    "models/diabetes/1/model.onnx",
    "--features",
    "age,sex,bmi,bp,s1,s2,s3,s4,s5,s6",
  ],
  "zero-shot-image-classification": ["test/fixtures/zero-shot-images/clip"],
  "image-to-text": [
    "test/fixtures/image-to-text/ended.onnx",
    "--task",
    "image-to-text",
    ...FLAGS.ended,
  ],
  "image-classification": ["test/cli/fixtures/image-export"],
  "image-feature-extraction": ["clip-vectors"],
  "object-detection": ["test/fixtures/object-detection/yolo8.onnx"],
  "image-segmentation": ["test/fixtures/image-segmentation/segformer"],
  "audio-classification": ["test/fixtures/hugging-face/ast-audio"],
  "voice-activity-detection": [
    "test/fixtures/voice/gru.onnx",
    "--task",
    "voice-activity-detection",
    "--options",
    JSON.stringify(GRU),
  ],
  "tabular-anomaly-detection": [
    "models/anomaly/1/model.onnx",
    "--features",
    "a,b,c,d,e,f",
    "--task",
    "tabular-anomaly-detection",
  ],
  tensor: ["test/fixtures/graphs/tensors.onnx"],
};

test("a model of every task is added, but of baskets, which need a catalogue", () => {
  const tasks = BUILT_IN_TASKS.map(({ name }) => name).filter((name) => name !== "recommendation");
  expect(Object.keys(ADDED)).toEqual(expect.arrayContaining(tasks));
});

describe("the request that add prints", () => {
  let models: string;
  let served: NodeServer;
  const requests: Record<string, string> = {};

  beforeAll(async () => {
    models = await mkdtemp(join(tmpdir(), "nearcast-requests-"));
    for (const [name, [path, ...args]] of Object.entries(ADDED)) {
      const taken = path.includes("/")
        ? { folder: join(root, path), remove: async () => {} }
        : await exportFolder(path);
      const out = await succeed(["add", taken.folder, "--name", name, "--models", models, ...args]);
      await taken.remove();
      requests[name] = /When it is released, this works:\n(curl [^]+)/.exec(out)?.[1]?.trim() ?? "";
      await writeFile(join(models, name, "release.json"), '{"stable":"1"}');
    }
    await writeFile(join(models, "recording.wav"), recordingOf(recorded.recipes[0]!));
    served = await startNodeServer({ env: { STORE: models } });
  });
  afterAll(async () => {
    await served?.stop();
    await rm(models, { recursive: true });
  });

  test.each(Object.keys(ADDED))("is answered with 200: %s", async (name) => {
    const command =
      requests[name]
        ?.replace("http://localhost:8787", served.url)
        .replace("@recording.wav", `@${join(models, "recording.wav")}`) ?? "";
    expect(command).toContain(`/v1/models/${name}/predict`);
    const { stdout } = await run("bash", ["-c", `${command} -sS -w '\n%{http_code}'`]);
    const [body = "", status] = stdout.split("\n");
    expect(status, body).toBe("200");
    expect((JSON.parse(body) as { outputs: unknown }).outputs).toBeDefined();
  });
});
