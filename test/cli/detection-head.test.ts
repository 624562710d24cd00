import { expect, test } from "vitest";
import { detectionHeadOf, type Activation } from "../../cli/add/detection-head.ts";
import { detectionDraft } from "../../cli/add/hugging-face-detection.ts";
import type { Config } from "../../cli/add/hugging-face-kind.ts";
import type { ImageSettings } from "../../functions/tasks/image/options.ts";
import type { Graph } from "../../functions/platform/onnx/graph.ts";

/** What `add` takes a graph with these outputs for. */
async function headOf(
  outputs: Record<string, number[]>,
  labelCount: number,
  activation?: Activation,
) {
  const graph = {
    path: "detector.onnx",
    outputs: Object.entries(outputs).map(([name, shape]) => ({ name, datatype: "FP32", shape })),
  } as Graph;
  const labels = Array.from({ length: labelCount }, (_, id) => `label ${id}`);
  return (await detectionHeadOf(graph, [], { labels, activation })).detection;
}

test.each([
  [3, "softmax"],
  [4, "sigmoid"],
] as const)("logits as wide as boxes are told apart, with %i labels and %s", async (count, how) => {
  const outputs = { logits: [-1, 100, 4], pred_boxes: [-1, 100, 4] };
  const wanted = { head: "detr", output: "pred_boxes", logits: "logits", activation: how };
  expect(await headOf(outputs, count, how)).toEqual(wanted);
  const { logits, pred_boxes } = outputs;
  expect(await headOf({ scores: logits, pred_boxes }, count, how)).toEqual({
    ...wanted,
    logits: "scores",
  });
  expect(await headOf({ logits, boxes: pred_boxes }, count, how)).toEqual({
    ...wanted,
    output: "boxes",
  });
});

test("logits of six numbers are no boxes", async () => {
  const outputs = { logits: [-1, 100, 6], pred_boxes: [-1, 100, 4] };
  expect(await headOf(outputs, 5, "softmax")).toMatchObject({ head: "detr", logits: "logits" });
});

test("the width of logits alone does not say how they become scores", async () => {
  const outputs = { logits: [-1, 100, 92], pred_boxes: [-1, 100, 4] };
  for (const count of [91, 92])
    await expect(headOf(outputs, count)).rejects.toThrow("Say it with --scores: softmax");
  await expect(headOf(outputs, 92, "softmax")).rejects.toThrow(
    "logits has 92 numbers for each box. With softmax and 92 labels it has 93: the last one is for nothing",
  );
  await expect(headOf(outputs, 91, "sigmoid")).rejects.toThrow(
    "With sigmoid and 91 labels it has 91.",
  );
});

test("two outputs of one kind are told apart by --options alone", async () => {
  const outputs = { one: [-1, 7, 100], other: [-1, 7, 200] };
  await expect(headOf(outputs, 3)).rejects.toThrow(
    "boxes may be in one or other. Say which one as the field detection of --options",
  );
});

test.each([
  ["Detr", 3, "softmax", 1000],
  ["ConditionalDetr", 4, "sigmoid", 100],
  ["RTDetr", 4, "sigmoid", 1000],
] as const)("transformers' processor %s decides how many boxes there are", async (...given) => {
  const [processor, count, activation, maxDetections] = given;
  const input = { name: "pixel_values", datatype: "FP32", shape: [-1, 3, 64, 64] } as const;
  const outputs = ["logits", "pred_boxes"].map((name) => ({
    name,
    datatype: "FP32" as const,
    shape: [-1, 1200, 4],
  }));
  const graph = { path: "detector.onnx", inputs: [input], outputs } as unknown as Graph;
  const labels = ["a", "b", "c", "d"].slice(0, count);
  const id2label = Object.fromEntries(labels.entries());
  const image = {} as ImageSettings;
  const config = { model_type: "conditional_detr", id2label } as Config;
  const draft = detectionDraft(config, graph, {
    processor,
    image,
    inputs: [{ ...input, shape: [...input.shape] }],
    labels: undefined,
  });
  expect((await draft).manifest).toMatchObject({ detection: { activation, maxDetections } });
});

test("a processor that is not named does not say how logits become scores", async () => {
  const graph = { path: "it", inputs: [{ name: "pixel_values" }], outputs: [] } as unknown as Graph;
  const given = { processor: "", image: {} as ImageSettings, inputs: graph.inputs };
  const draft = detectionDraft({}, graph, { ...given, labels: undefined });
  await expect(draft).rejects.toThrow("must have the image_processor_type of a detector: Detr");
});
