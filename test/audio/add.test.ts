import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { draftFromHuggingFace } from "../../cli/add/from-hugging-face.ts";
import { nearcast } from "../cli/nearcast.ts";
import { exportFolder, type Json } from "../hugging-face/export-folder.ts";
import { fixtures, recorded } from "./recorded.ts";
import { recordingOf } from "./recordings.ts";

const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
afterAll(() => rm(models, { recursive: true }));

const SETTINGS = "preprocessor_config.json";

async function draftOf(name: string, file: string, members: Json) {
  const { folder, remove } = await exportFolder(name, { [file]: members });
  try {
    return await draftFromHuggingFace(folder, {});
  } finally {
    await remove();
  }
}

const refusals: [name: string, file: string, change: Json, message: RegExp][] = [
  ["ast-audio", SETTINGS, { sampling_rate: null }, /does not say sampling_rate/],
  ["ast-audio", SETTINGS, { max_length: 512 }, /makes \[-1, 512, 64\] of a recording/],
  ["ast-audio", SETTINGS, { window: "hamming" }, /does not know the setting "window"/],
  ["ast-audio", SETTINGS, { feature_extractor_type: "ClapFeatureExtractor" }, /the steps of Clap/],
  ["wav2vec2-audio", SETTINGS, { do_normalize: null }, /does not say do_normalize/],
  ["wav2vec2-audio", "config.json", { conv_stride: [5] }, /conv_kernel and conv_stride/],
  ["whisper-audio", SETTINGS, { chunk_length: 4 }, /makes \[-1, 80, 400\] of a recording/],
  ["whisper-audio", SETTINGS, { hop_length: 80 }, /"hop_length": 80 is not supported/],
  ["whisper-audio", SETTINGS, { do_normalize: true }, /and no do_normalize/],
];

test.each(refusals)("an export that is not sure is asked about: %s, %s %j", async (...given) => {
  const [name, file, change, message] = given;
  await expect(draftOf(name, file, change)).rejects.toThrow(message);
});

test("several labels that may be right have sigmoids, and a note", async () => {
  const change = { problem_type: "multi_label_classification" };
  const { manifest, notes } = await draftOf("ast-audio", "config.json", change);
  expect(manifest.scores?.activation).toBe("sigmoid");
  expect(notes?.join(" ")).toContain("function_to_apply");
});

test("SEW joins steps of its convolutions, and needs the samples of them all", async () => {
  const { manifest } = await draftOf("wav2vec2-audio", "config.json", { squeeze_factor: 2 });
  expect(manifest.audio).toMatchObject({ waveform: { minSamples: 720 } });
});

test("add runs the model with the fewest samples that it is said to take", async () => {
  const { conv_kernel: kernels } = JSON.parse(
    await readFile(join(fixtures, "wav2vec2-audio/config.json"), "utf8"),
  ) as { conv_kernel: number[] };
  const shorter = { conv_kernel: [...kernels.slice(0, -1), 1] };
  const { folder, remove } = await exportFolder("wav2vec2-audio", { "config.json": shorter });
  const added = await nearcast(["add", folder, "--name", "wrong", "--models", models]);
  await remove();
  expect(added.code).toBe(1);
  expect(added.stderr).toContain("does not run");
});

test("add tries the model with a chirp, and eval counts right answers to base64", async () => {
  const command = ["add", join(fixtures, "ast-audio"), "--name", "sounds", "--models", models];
  const added = await nearcast(command);
  expect(added).toMatchObject({ code: 0, stderr: "" });
  const manifest = JSON.parse(await readFile(join(models, "sounds/1/model.json"), "utf8")) as {
    task: string;
    examples: { input: string; output: { label: string } }[];
  };
  expect(manifest.task).toBe("audio-classification");
  expect(Buffer.from(manifest.examples[0]?.input ?? "", "base64").toString("latin1", 0, 4)).toBe(
    "RIFF",
  );
  const { labels, recipes, answers } = recorded;
  const rows = recipes.slice(0, 20).map((recipe, at) => {
    const scores = answers["ast-audio"][at] as number[];
    const label = labels[at === 0 ? 0 : scores.indexOf(Math.max(...scores))];
    return JSON.stringify({ input: Buffer.from(recordingOf(recipe)).toString("base64"), label });
  });
  const data = join(models, "data.jsonl");
  await writeFile(data, rows.join("\n"));
  const judged = await nearcast(["eval", "sounds", "--models", models, "--data", data, "--json"]);
  expect(judged.stderr).toBe("");
  const scores = answers["ast-audio"][0] as number[];
  const right = scores.indexOf(Math.max(...scores)) === 0 ? 20 : 19;
  const { metrics } = JSON.parse(judged.stdout) as { metrics: { accuracy: number } };
  expect(metrics.accuracy).toBe(right / 20);
});
