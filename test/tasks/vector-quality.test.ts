import { expect, test } from "vitest";
import { BUILT_IN_TASKS } from "../../functions/tasks/built-in.ts";
import { featureExtraction } from "../../functions/tasks/feature-extraction/task.ts";
import { imageFeatureExtraction } from "../../functions/tasks/image-feature-extraction/task.ts";

const quality = await featureExtraction.quality?.({} as never, { k: 2 });

/** Directions in a plane, by degrees. */
const at = (degrees: number, length = 1) => [
  length * Math.cos((degrees * Math.PI) / 180),
  length * Math.sin((degrees * Math.PI) / 180),
];

test("a text is found among the texts of all labels and of rows without one", () => {
  const targets = new Map([
    ["right", at(10)],
    ["left", at(180, 5)],
    ["up", at(90)],
    ["nobody asks for it", at(60, 5)],
  ]);
  const truths = ["right", "left", "up"];
  // The first is nearest, the second too in spite of the length, and the third comes after two others.
  const metrics = quality?.metrics(truths, [at(0), at(170), at(40)], targets);
  expect(metrics).toEqual({ recall_at_2: 2 / 3, recall_at_1: 2 / 3, mrr_at_2: 2 / 3 });
});

test("one that is as near as the right one counts as nearer", () => {
  const targets = new Map([
    ["right", at(10)],
    ["twin", at(10, 2)],
  ]);
  expect(quality?.metrics(["right"], [at(0)], targets)).toMatchObject({
    recall_at_1: 0,
    mrr_at_2: 0.5,
  });
});

test("sparse vectors are compared by their product", () => {
  const targets = new Map([
    ["long", [{ index: 1, value: 3 }]],
    [
      "same",
      [
        { index: 1, value: 1 },
        { index: 7, value: 1 },
      ],
    ],
  ]);
  const asked = [
    { index: 1, value: 1 },
    { index: 7, value: 1 },
  ];
  expect(quality?.metrics(["long"], [asked], targets)).toMatchObject({ recall_at_1: 1 });
});

/** The first `count` of 16 bits are 1, packed as `quantize_embeddings` packs them. */
const bits = (count: number, isSigned: boolean) =>
  [count, count - 8].map((ones) => {
    const byte = 256 - 2 ** (8 - Math.min(8, Math.max(0, ones)));
    return isSigned ? byte - 128 : byte;
  });

test.for([
  ["binary", true],
  ["ubinary", false],
] as const)("%s vectors are compared by the bits that differ", async ([precision, isSigned]) => {
  const made = await featureExtraction.quality?.({} as never, { k: 2, parameters: { precision } });
  const targets = new Map([2, 7, 8, 9, 15].map((count) => [`${count}`, bits(count, isSigned)]));
  const find = (label: string, count: number) =>
    made?.metrics([label], [bits(count, isSigned)], targets);
  // Their places: the first is alone, the second as near as another, the third after all.
  expect(find("8", 8)).toMatchObject({ recall_at_1: 1 });
  expect(find("7", 8)).toMatchObject({ recall_at_1: 0, recall_at_2: 0 });
  expect(find("15", 13)).toMatchObject({ recall_at_1: 1 });
  const scored = [2, 7, 8, 9, 15].map((count) => ({
    text: `${count}`,
    score: -Math.abs(count - 3),
  }));
  const asked = scored.map(() => bits(3, isSigned));
  expect(made?.metrics(scored, asked, targets)["spearman"]).toBe(1);
});

test("a text is the same in an object, and a pair of texts is another one", () => {
  expect(quality?.target?.({ text: "a" })).toBe("a");
  expect(quality?.target?.("a")).toBe("a");
  const pair = { text: "a", text_pair: "b" };
  expect(quality?.target?.(pair)).toBe(pair);
});

/** Labels of the texts a, b and so on. */
const scored = (...scores: number[]) => scores.map((score, row) => ({ text: "ab"[row], score }));

test("there is no correlation with a constant", () => {
  const targets = new Map([
    ["a", at(5)],
    ["b", at(80)],
  ]);
  expect(() => quality?.metrics(scored(1, 1), [at(0), at(0)], targets)).toThrow("All labels are");
  expect(() => quality?.metrics(scored(1, 2), [at(5), at(80)], targets)).toThrow("All answers are");
});

test("labels with scores are compared with the cosines by the order of both", () => {
  const targets = new Map([
    ["near", at(5)],
    ["far", at(80)],
    ["opposite", at(180)],
  ]);
  const truths = [
    { text: "near", score: 5 },
    { text: "far", score: 1 },
    { text: "opposite", score: 0 },
  ];
  const metrics = quality?.metrics(truths, [at(0), at(0), at(0)], targets);
  expect(metrics?.["spearman"]).toBe(1);
  expect(() => quality?.metrics(["near", truths[0]], [at(0), at(0)], targets)).toThrow(
    "Some labels have a score, and others have none",
  );
});

test.for([[""], [7], [{ text: "a" }], [{ text: "", score: 1 }]])(
  "%j is no label of a text",
  ([truth]) => {
    expect(quality?.problemWith?.(truth)).toContain("must be the text that the input should find");
  },
);

test("queries and texts get the prompts that the model has for them", async () => {
  const text = { prompts: { query: "query: ", passage: "passage: " } };
  const made = await featureExtraction.quality?.({ text } as never, { k: 10 });
  expect(made?.parameters).toEqual({ prompt_name: "query" });
  expect(made?.targetParameters).toEqual({ prompt_name: "passage" });
  expect(quality?.parameters).toEqual({});
});

test("eval judges every task but that of plain tensors", () => {
  const others = BUILT_IN_TASKS.filter((task) => !task.quality);
  expect(others.map(({ name }) => name)).toEqual(["tensor"]);
});

test("a vector for each token is not judged", async () => {
  const text = { pooling: "none" };
  expect(await featureExtraction.quality?.({ text } as never, { k: 10 })).toBeUndefined();
});

test("images are found by others with their label", async () => {
  const images = await imageFeatureExtraction.quality?.({ vector: {} } as never, { k: 2 });
  // The last one has a label of its own, and is only in the way.
  const truths = ["cat", "cat", "dog", "dog", "bird"];
  const answers = [at(0), at(10), at(90), at(40), at(50)];
  expect(images?.metrics(truths, answers)).toEqual({
    recall_at_2: 3 / 4,
    recall_at_1: 1 / 2,
    mrr_at_2: (1 + 1 + 1 / 2) / 4,
  });
  expect(() => images?.metrics(["cat", "dog"], [at(0), at(1)])).toThrow("No two images");
});
