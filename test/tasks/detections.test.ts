import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Parts } from "../../functions/tasks/define.ts";
import { fit, placementOf } from "../../functions/tasks/image/fit.ts";
import type { ImageOptions } from "../../functions/tasks/image/options.ts";
import { overlapOf, type Detection } from "../../functions/tasks/object-detection/detection.ts";
import { yoloHead } from "../../functions/tasks/object-detection/heads/yolo.ts";
import type { DetectionManifest } from "../../functions/tasks/object-detection/heads/head.ts";
import { detectionQuality } from "../../functions/tasks/object-detection/quality.ts";
import {
  highest,
  suppress,
  type Candidate,
} from "../../functions/tasks/object-detection/suppress.ts";
import { collectYoung } from "../harness/collect.ts";
import { folder, recordedDetections } from "./object-detection.ts";

/** Numbers from 0 to 1 that are the same in each run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** The boxes that stay, and how many parts it took. */
function inParts(...given: Parameters<typeof suppress>) {
  const parts = suppress(...given);
  for (let count = 1; ; count++) {
    const part = parts.next();
    if (part.done) return { kept: part.value, count };
  }
}

function suppressed(...given: Parameters<typeof suppress>): Candidate[] {
  return inParts(...given).kept;
}

function madeUp(seed: number, count: number): Candidate[] {
  const next = numbers(seed);
  return Array.from({ length: count }, () => {
    const [xmin, ymin] = [next() * 80, next() * 80];
    const box = { xmin, ymin, xmax: xmin + next() * 40, ymax: ymin + next() * 40 };
    return { label: Math.floor(next() * 3), score: next(), box };
  }).sort((one, other) => other.score - one.score);
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "boxes that stay overlap no other of their label (%i)",
  (seed) => {
    const candidates = madeUp(seed, 300);
    const iou = seed / 10;
    const kept = suppressed(candidates, { iou, most: Infinity });
    const overlaps = (one: Candidate, other: Candidate) =>
      one.label === other.label && overlapOf(one.box, other.box) > iou;
    for (const [index, one] of kept.entries())
      expect(kept.slice(0, index).filter((other) => overlaps(one, other))).toEqual([]);
    // Each one that is left out overlaps one that stays and has a higher score.
    for (const one of candidates.filter((candidate) => !kept.includes(candidate)))
      expect(kept.some((other) => other.score >= one.score && overlaps(one, other))).toBe(true);
    // What stays does so again, and fewer are the first of more.
    expect(suppressed(kept, { iou, most: Infinity })).toEqual(kept);
    expect(suppressed(candidates, { iou, most: 7 })).toEqual(kept.slice(0, 7));
  },
);

test("boxes of different labels, and those that only touch, all stay", () => {
  const box = { xmin: 0, ymin: 0, xmax: 10, ymax: 10 };
  const beside = { ...box, xmin: 10, xmax: 20 };
  const all = [
    { label: 0, score: 0.9, box },
    { label: 1, score: 0.8, box },
    { label: 0, score: 0.7, box: beside },
  ];
  expect(suppressed(all, { iou: 0, most: 10 })).toEqual(all);
  expect(overlapOf(box, { ...box, xmin: 5, xmax: 15 })).toBeCloseTo(1 / 3, 12);
});

test("the highest scores are those of sorting all, and of equal ones the first", () => {
  const next = numbers(9);
  for (const most of [1, 5, 40, 500]) {
    const scores = Float32Array.from({ length: 300 }, () => Math.round(next() * 20) / 20);
    const sorted = Array.from(scores, (score, index) => ({ score, index }))
      .filter(({ score }) => score > Math.fround(0.3))
      .sort((one, other) => other.score - one.score || one.index - other.index);
    const wanted = sorted.slice(0, most).map(({ index }) => index);
    expect(highest(scores, 0.3, most)).toEqual(wanted);
  }
});

test("candidates are compared with those that stay alone: as many as there may be", () => {
  // All have one label and overlap nothing: the most comparisons that there can be.
  const candidates = Array.from({ length: 30_000 }, (_, index) => ({
    label: 0,
    score: 1 - index / 30_000,
    box: { xmin: index * 2, ymin: 0, xmax: index * 2 + 1, ymax: 1 },
  }));
  let looked = 0;
  function* counted() {
    for (const candidate of candidates) {
      looked++;
      yield candidate;
    }
  }
  expect(suppressed(counted(), { iou: 0.5, most: 300 })).toHaveLength(300);
  expect(looked).toBe(301);
});

test("many boxes that stay let others take turns", () => {
  const [candidate] = madeUp(1, 1) as [Candidate];
  const beside = Array.from({ length: 30_000 }, (_, index) => ({
    ...candidate,
    box: { xmin: index % 1000, ymin: 0, xmax: (index % 1000) + 1, ymax: 1 },
  }));
  const { kept, count } = inParts(beside, { iou: 0.5, most: 1001 });
  expect(kept).toHaveLength(1000);
  expect(count).toBeGreaterThan(40);
});

const options = { orientation: "exif", crop: "down", arithmetic: "pillow" } as ImageOptions;

test("pictures get the sizes that the processors of DETR and YOLOS give them", async () => {
  const { sizes } = await recordedDetections();
  const edges = {
    detr: { shortestEdge: 800, longestEdge: 1333 },
    yolos: { shortestEdge: 512, longestEdge: 864, multipleOf: 16 },
  };
  for (const name of ["detr", "yolos"] as const)
    for (const [width, height, ...wanted] of sizes[name]) {
      const place = placementOf({ width, height }, { ...options, resize: edges[name] });
      expect([place.width, place.height]).toEqual(wanted);
    }
  expect(() => placementOf({ width: 1, height: 5000 }, { ...options, resize: edges.detr })).toThrow(
    "is a picture of 1 × 5000 pixels, too narrow to be at most 1333 long",
  );
});

test("a letterbox has the picture where it is said to be", () => {
  const pixels = { width: 30, height: 13, channels: 1 as const, data: new Uint8Array(390).fill(9) };
  const letterbox: ImageOptions = {
    ...options,
    width: 64,
    height: 48,
    color: "grayscale",
    layout: "NCHW",
    resample: "bilinear",
    arithmetic: "opencv",
    resize: { pad: [114] },
    scale: 1,
    mean: [0],
    std: [1],
  };
  const { left, top, width, height } = placementOf(pixels, letterbox);
  const { data } = fit(pixels, letterbox);
  const isInside = (at: number) => {
    const [x, y] = [at % 64, Math.floor(at / 64)];
    return x >= left && x < left + width && y >= top && y < top + height;
  };
  expect(data.every((level, at) => level === (isInside(at) ? 9 : 114))).toBe(true);
});

test("average precision is that of pycocotools", async () => {
  const cases = JSON.parse(await readFile(join(folder, "average-precision.json"), "utf8")) as {
    truths: unknown[];
    detections: Detection[][];
    map_50: number;
    map_50_95: number;
  }[];
  expect(cases.length).toBeGreaterThan(3);
  const quality = detectionQuality(["cat", "dog", "bus"]);
  for (const { truths, detections, map_50, map_50_95 } of cases) {
    const metrics = quality.metrics(truths, detections);
    expect(metrics["map_50"]).toBeCloseTo(map_50, 9);
    expect(metrics["map_50_95"]).toBeCloseTo(map_50_95, 9);
  }
});

test("labels in the data that are no boxes are refused", () => {
  const quality = detectionQuality(["cat"]);
  const problemWith = (truth: unknown) => quality.problemWith?.(truth);
  const box = { xmin: 0, ymin: 0, xmax: 1, ymax: 1 };
  expect(problemWith([{ label: "cat", box }])).toBeUndefined();
  expect(problemWith([])).toBeUndefined();
  expect(problemWith([{ label: "dog", box }])).toBe('the model has no label "dog"');
  expect(problemWith([{ label: "cat", box: { ...box, xmax: 0 } }])).toContain("must be an array");
  expect(problemWith("cat")).toContain("must be an array");
  expect(() => quality.metrics([[]], [[]])).toThrow("The data has no box");
});

test("what a picture needs is given back without a collection of all memory", async () => {
  const file = await readFile("models/objects/1/model.json", "utf8");
  const head = yoloHead(JSON.parse(file) as DetectionManifest);
  const data = new Float32Array(14 * 1024);
  const outputs = { boxes: { datatype: "FP32" as const, shape: [1, 14, 1024], data } };
  function read(times: number): number {
    for (let time = 0; time < times; time++) {
      const parts = head.open(outputs, 1)(0, { width: 128, height: 128 }, 0.5) as Parts<unknown>;
      while (!parts.next().done);
    }
    collectYoung();
    collectYoung();
    return process.memoryUsage().arrayBuffers;
  }
  const before = read(10);
  // A picture needs the score and the label of 1,024 places: 8 KiB.
  expect(read(200) - before).toBeLessThan(20 * 8192);
});
