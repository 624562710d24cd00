import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readOnnx, writeOnnx } from "../../functions/platform/onnx/model.ts";
import { folder } from "../tasks/object-detection.ts";
import { expectRefused } from "./expect-refused.ts";
import { nearcast, removeLines, temporaryFolder } from "./nearcast.ts";

afterAll(removeLines);

const LABELS = ["--labels-from", join(folder, "yolo-labels.json")];
const TASK = ["--task", "object-detection"];

async function added(source: string, flags: readonly string[] = []) {
  const models = await temporaryFolder();
  const command = ["add", join(folder, source), "--name", "it", "--models", models, ...flags];
  const outcome = await nearcast(command);
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  const manifest = JSON.parse(await readFile(join(models, "it/1/model.json"), "utf8")) as object;
  return { models, manifest, ...outcome };
}

test("an export of ultralytics says itself what it finds, and in which size", async () => {
  const { manifest, stdout } = await added("yolo8.onnx");
  expect(manifest).toMatchObject({
    task: "object-detection",
    labels: ["ball", "person, sitting", "car's wheel"],
    detection: { head: "yolo", output: "output0", threshold: 0.25, iou: 0.7 },
    image: { width: 96, height: 64, resize: { pad: [114, 114, 114] }, arithmetic: "opencv" },
  });
  expect(stdout).toContain("Boxes need a score above 0.25");
  expect((await added("yolo10.onnx")).manifest).toMatchObject({ detection: { head: "boxes" } });
});

test("a file without metadata is what its shapes and its labels say", async () => {
  const flags = [...TASK, "--image", "96x64", "--resize", "96x64", ...LABELS];
  expect((await added("yolo5.onnx", flags)).manifest).toMatchObject({
    detection: { head: "yolo-objectness" },
    image: { resize: { width: 96, height: 64 }, resample: "bilinear" },
  });
});

test("exports of Hugging Face bring their labels, their sizes, and what logits mean", async () => {
  const { manifest, stdout } = await added("detr");
  expect(manifest).toMatchObject({
    labels: ["N/A", "cat", "N/A (2)", "dog", "red bus"],
    detection: { head: "detr", activation: "softmax", maxDetections: 12 },
    image: { width: 80, height: 80, resize: { shortestEdge: 48, longestEdge: 80 } },
  });
  expect(stdout).toContain("Several labels are called N/A");
  const other = await added("conditional-detr", ["--labels", "a,b,c,d,e"]);
  expect(other.manifest).toMatchObject({
    labels: ["a", "b", "c", "d", "e"],
    detection: { activation: "sigmoid", maxDetections: 100 },
    image: { arithmetic: "torchvision" },
  });
});

test.for([
  ["yolo5.onnx", [...TASK, ...LABELS], "say it with --image 640x640"],
  ["yolo5.onnx", [...TASK, ...LABELS, "--image", "96x64"], "Say how a picture becomes 96 × 64"],
  ["yolo5.onnx", TASK, "does not say its labels"],
  ["yolo8.onnx", ["--labels", "a,b"], "--labels names 2 labels, and the file has 3"],
  ["yolo8.onnx", ["--head", "boxes"], "With 3 labels, an output with boxes is [-1, 7, places]"],
  ["yolo10.onnx", ["--task", "tensor", "--head", "boxes"], "--head goes with --task"],
  ["yolo8.onnx", ["--scores", "sigmoid"], "--scores goes with the head detr"],
  ["yolo8.onnx", ["--scores", "none"], "--scores is softmax or sigmoid"],
  ["detr", ["--head", "detr"], "--head, --blank and --end go with a file"],
  ["detr", ["--task", "image-classification"], "is a model for object-detection, not"],
  ["detr", ["--labels", "a,b"], "--labels names 2 labels, config.json has 5"],
] as const)("%s with %j is refused", async ([source, flags, reason]) => {
  await expectRefused(join(folder, source), reason, [...flags]);
});

test("where two ends have the same shape, add asks which one it is", async () => {
  // With one label, [-1, places, 6] may also be YOLO 5.
  const flags = [...TASK, "--image", "96x64", "--pad", "114", "--labels", "ball"];
  const source = join(await temporaryFolder(), "plain.onnx");
  const file = await readFile(join(folder, "yolo10.onnx"), "latin1");
  await writeFile(
    source,
    file.replace("Ultralytics\u0012", "Anybodyelse\u0012").replaceAll("Ultralytics", "Anybodyelse"),
    "latin1",
  );
  await expectRefused(source, "yolo-objectness or boxes. Say which one with --head", flags);
});

/** An export of ultralytics whose metadata say something else. */
async function withMetadata(changed: Record<string, string>): Promise<string> {
  const model = readOnnx(await readFile(join(folder, "yolo8.onnx")));
  for (const entry of model.metadataProps) entry.value = changed[entry.key] ?? entry.value;
  const path = join(await temporaryFolder(), "plain.onnx");
  await writeFile(path, writeOnnx(model));
  return path;
}

test("names are read as Python writes them", async () => {
  const names = String.raw`{0: 'one\ntwo', 1: 'caf\xe9 \u2028\U0001f600', 2: 'it\'s \\ "'}`;
  const models = await temporaryFolder();
  const path = await withMetadata({ names });
  const outcome = await nearcast(["add", path, "--name", "it", "--models", models]);
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  const manifest: unknown = JSON.parse(await readFile(join(models, "it/1/model.json"), "utf8"));
  expect(manifest).toMatchObject({ labels: ["one\ntwo", "café \u2028😀", "it's \\ \""] });
});

test("an RT-DETR of ultralytics is refused: its end is none of those that are known", async () => {
  const description = "Ultralytics rtdetr-l model trained on coco.yaml";
  await expectRefused(await withMetadata({ description }), "it is an RT-DETR");
});

test("eval measures mean average precision of true boxes", async () => {
  const { models } = await added("yolo8.onnx");
  const { examples } = JSON.parse(await readFile(join(models, "it/1/model.json"), "utf8")) as {
    examples: { input: string }[];
  };
  const data = join(await temporaryFolder(), "data.jsonl");
  const box = { xmin: 0, ymin: 0, xmax: 32, ymax: 32 };
  const row = { input: examples[0]?.input, label: [{ label: "ball", box }] };
  await writeFile(data, `${JSON.stringify(row)}\n${JSON.stringify({ ...row, label: [] })}\n`);
  const outcome = await nearcast(["eval", "it", "--data", data, "--models", models, "--json"]);
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  const { metrics } = JSON.parse(outcome.stdout) as { metrics: Record<string, number> };
  expect(Object.keys(metrics)).toEqual(["map_50", "map_50_95"]);
  const wrong = { ...row, label: [{ label: "cat", box }] };
  await writeFile(data, JSON.stringify(wrong));
  const refused = await nearcast(["eval", "it", "--data", data, "--models", models]);
  expect(refused.stderr).toContain('Line 1 of the data: the model has no label "cat"');
});
