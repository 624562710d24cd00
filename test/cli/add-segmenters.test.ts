import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { folder, recordedSegments } from "../tasks/image-segmentation.ts";
import { expectRefused } from "./expect-refused.ts";
import { nearcast, removeLines, temporaryFolder } from "./nearcast.ts";

afterAll(removeLines);

async function added(source: string, flags: readonly string[] = []) {
  const models = await temporaryFolder();
  const command = ["add", join(folder, source), "--name", "it", "--models", models, ...flags];
  const outcome = await nearcast(command);
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  const manifest = JSON.parse(await readFile(join(models, "it/1/model.json"), "utf8")) as object;
  return { models, manifest, ...outcome };
}

test("exports of Hugging Face bring their labels and their sizes", async () => {
  expect((await added("segformer")).manifest).toMatchObject({
    task: "image-segmentation",
    labels: ["wall", "sky", "red bus", "road", "person", "tree"],
    outputs: [{ name: "logits", shape: [-1, 6, -1, -1] }],
    segmentation: { output: "logits" },
    image: { width: 96, height: 64, arithmetic: "pillow" },
  });
  const { manifest } = await added("upernet", ["--labels", "a,b,c,d,e,f"]);
  expect(manifest).toMatchObject({
    labels: ["a", "b", "c", "d", "e", "f"],
    image: { arithmetic: "torchvision" },
  });
});

test("exports with masks of queries bring what these become, and DETR its mask of pixels", async () => {
  expect((await added("maskformer")).manifest).toMatchObject({
    outputs: [{ name: "masks_queries_logits" }, { shape: [-1, 12, 7] }],
    segmentation: {
      output: "masks_queries_logits",
      classes: "class_queries_logits",
      instances: "best",
    },
  });
  expect((await added("maskformer-ratio")).manifest).toMatchObject({
    inputs: [{ name: "pixel_values", shape: [-1, 3, -1, -1] }],
    image: { resize: { shortestEdge: 50, longestEdge: 110, multipleOf: 32, rounding: "up" } },
  });
  const { manifest } = await added("mask2former");
  expect(manifest).toMatchObject({ segmentation: { scaled: { width: 384, height: 384 } } });
  expect((await added("detr-panoptic")).manifest).toMatchObject({
    inputs: [{ name: "pixel_values" }, { name: "pixel_mask" }],
    segmentation: { output: "pred_masks", classes: "logits", instances: "apart" },
    image: { resize: { shortestEdge: 48, longestEdge: 80 } },
  });
});

/** A copy of an export with other settings in one of its files. */
async function changed(file: string, settings: object, name = "segformer"): Promise<string> {
  const copy = await temporaryFolder();
  await cp(join(folder, name), copy, { recursive: true });
  const path = join(copy, file);
  const own = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...own, ...settings }));
  return copy;
}

test("the graph says how many queries there are, and config.json where it does not", async () => {
  const source = await changed("config.json", { num_queries: 99 }, "detr-panoptic");
  const models = await temporaryFolder();
  await nearcast(["add", source, "--name", "it", "--models", models]);
  const { outputs } = JSON.parse(await readFile(join(models, "it/1/model.json"), "utf8")) as {
    outputs: object[];
  };
  expect(outputs[1]).toMatchObject({ shape: [-1, 12, 7] });
});

test.for([
  ["config.json", { id2label: { 0: "a", 1: "b" } }, "config.json has 2 labels"],
  ["config.json", { architectures: ["SegformerForDepthEstimation"] }, "There is no task for a"],
  [
    "preprocessor_config.json",
    {
      size: { height: 80, width: 120 },
      do_center_crop: true,
      crop_size: { height: 64, width: 96 },
    },
    "must not cut the centre out",
  ],
] as const)("%s with %j is refused", async ([file, settings, reason]) => {
  const source = await changed(file, { ...settings, ...MOBILE[file] });
  await expectRefused(source, reason, []);
});

/** A processor that can cut, where SegFormer's cannot. */
const MOBILE: Record<string, object> = {
  "preprocessor_config.json": { image_processor_type: "MobileNetV2ImageProcessor" },
};

test.for([
  ["config.json", { id2label: { 0: "a" } }, "masks have 2 numbers for them"],
  [
    "preprocessor_config.json",
    { image_processor_type: "SegformerImageProcessor" },
    "must have an image_processor_type that says what masks become",
  ],
  ["preprocessor_config.json", { size: { height: 64, width: 80 } }, "size_divisor rounds sizes up"],
  [
    "preprocessor_config.json",
    { image_processor_type: "OneFormerImageProcessor" },
    "the steps of OneFormerImageProcessor are not known to the server",
  ],
] as const)("masks of queries whose %s has %j are refused", async ([file, settings, reason]) => {
  await expectRefused(await changed(file, settings, "maskformer"), reason, []);
});

test("an export is no model for another task", async () => {
  const flags = ["--task", "object-detection"];
  await expectRefused(join(folder, "upernet"), "is a model for image-segmentation, not", flags);
});

test("eval measures mean intersection over union of true masks", async () => {
  const { models } = await added("segformer");
  const { pictures, cases } = await recordedSegments();
  const rows = cases.find(({ model }) => model === "segformer")?.rows ?? [];
  // What the pipeline answered is the truth: a network that is as it was is right.
  const upright = [1, 3, 5];
  const lines = upright.map((at) => {
    const size = sizeOf(pictures[at] ?? "");
    const label = rows[at]?.map(([name, counts]) => ({ label: name, mask: { size, counts } }));
    return JSON.stringify({ input: pictures[at], label });
  });
  const data = join(await temporaryFolder(), "data.jsonl");
  await writeFile(data, lines.join("\n"));
  const outcome = await nearcast(["eval", "it", "--data", data, "--models", models, "--json"]);
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  const { metrics } = JSON.parse(outcome.stdout) as { metrics: Record<string, number> };
  expect(Object.keys(metrics)).toEqual(["mean_iou", "pixel_accuracy"]);
  for (const metric of Object.values(metrics)) expect(metric).toBeGreaterThan(0.999);
  await writeFile(data, lines[0]?.replace(/"label":"\w+/, '"label":"sea') ?? "");
  const refused = await nearcast(["eval", "it", "--data", data, "--models", models]);
  expect(refused.stderr).toContain("Line 1 of the data: the model has no label");
});

/** The height and width of a PNG in base64. */
function sizeOf(picture: string): [number, number] {
  const header = Buffer.from(picture, "base64");
  return [header.readUInt32BE(20), header.readUInt32BE(16)];
}
