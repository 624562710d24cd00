import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { placementOf } from "../../functions/tasks/image/fit.ts";
import { greyPng } from "../../functions/tasks/image/grey-png.ts";
import type { ImageOptions } from "../../functions/tasks/image/options.ts";
import { gridOf } from "../../functions/tasks/image-segmentation/grids.ts";
import { segmentsOfLabels } from "../../functions/tasks/image-segmentation/head.ts";
import { highestLabels } from "../../functions/tasks/image-segmentation/highest-label.ts";
import { writeMasks } from "../../functions/tasks/image-segmentation/masks.ts";
import { segmentationQuality } from "../../functions/tasks/image-segmentation/quality.ts";
import { countsOf } from "../../functions/tasks/image-segmentation/run-lengths.ts";
import {
  NONE,
  type SegmentAnswer,
  type SegmentMap,
} from "../../functions/tasks/image-segmentation/segments.ts";
import { folder, maskOf, recordedSegments } from "./image-segmentation.ts";
import { done } from "./parts.ts";

/** Numbers from 0 to 1 that are the same in each run. */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

function mapOf(width: number, height: number, numberAt: (x: number, y: number) => number) {
  const numbers = Uint16Array.from({ length: width * height }, (_, at) =>
    numberAt(at % width, Math.floor(at / width)),
  );
  return { width, height, numbers };
}

const next = random(5);
const MAPS: Record<string, SegmentMap> = {
  "one pixel": mapOf(1, 1, () => 0),
  "one line": mapOf(300, 1, (x) => (x % 7 === 0 ? 1 : 0)),
  "all of it": mapOf(64, 50, () => 1),
  "circles, and nothing between": mapOf(200, 120, (x, y) =>
    Math.hypot(x - 60, y - 60) < 40 ? 0 : Math.hypot(x - 140, y - 60) < 40 ? 2 : NONE,
  ),
  "a chequered board": mapOf(101, 99, (x, y) => (x + y) % 2),
  noise: mapOf(160, 160, () => Math.floor(next() * 4)),
  "rare pixels": mapOf(160, 160, () => (next() < 0.02 ? 3 : 0)),
  "rows of noise that are the same": mapOf(256, 64, (x) => (x * x * 7919) % 4),
};

test.each(Object.entries(MAPS))(
  "masks of %s are the map's pixels, and no longer than was expected",
  async (_, map) => {
    const segments = [0, 1, 2, 3].map((number) => ({ number, label: `label "${number}"` }));
    for (const encoding of ["png", "rle"] as const) {
      let expected = 0;
      const writing = { encoding, expect: (bytes: number) => void (expected = bytes) };
      const { value } = await done(writeMasks(map, segments, writing));
      for (const [number, answer] of value.entries())
        expect(maskOf(answer)).toEqual({
          size: [map.height, map.width],
          pixels: Uint8Array.from(map.numbers, (own) => (own === number ? 1 : 0)),
        });
      expect(expected).toBeGreaterThanOrEqual(JSON.stringify(value).length);
    }
  },
);

test("run lengths are those of pycocotools for larger counts, and others are none", async () => {
  // pycocotools.mask.encode of a mask of 1000 × 900 with one rectangle: rows 100 to 699, columns 200 to 249.
  const map = mapOf(900, 1000, (x, y) => (y >= 100 && y < 700 && x >= 200 && x < 250 ? 0 : NONE));
  const writing = { encoding: "rle", expect: () => undefined } as const;
  const { value } = await done(writeMasks(map, [{ number: 0, label: "a" }], writing));
  expect(value).toEqual([{ label: "a", mask: { size: [1000, 900], counts: RECTANGLE } }]);
  expect(countsOf(RECTANGLE)?.reduce((sum, count) => sum + count, 0)).toBe(900_000);
  for (const text of ["o", "~", "\u0010", "ooooooooo0"]) expect(countsOf(text)).toBeUndefined();
});

const RECTANGLE =
  "T]S6hb0`<0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\\ejc0";

test("a large picture is resized in parts, whatever its form", async () => {
  const planes = { count: 20, height: 32, width: 512, data: new Float32Array(20 * 32 * 512) };
  const logits = gridOf(planes);
  const whole = { left: 0, top: 0, width: 64, height: 64 };
  const where = { place: whole, frame: { width: 64, height: 64 } };
  const wide = await done(highestLabels(logits, { width: 1000, height: 400 }, where));
  expect(wide.count).toBeGreaterThan(20);
  // Of the logits' columns, one in hundreds is looked at: the pauses are for those alone.
  const narrow = await done(highestLabels(logits, { width: 2, height: 20_000 }, where));
  expect(narrow.count).toBeGreaterThan(2);
  expect(narrow.count).toBeLessThan(8);
});

test("maps of many pixels are renumbered and written in parts", async () => {
  const map = mapOf(1000, 2500, (x) => (x < 500 ? 1 : 2));
  const divided = await done(segmentsOfLabels(map, ["wall", "sky", "road"]));
  expect(divided.value.segments.map(({ label }) => label)).toEqual(["sky", "road"]);
  expect(divided.count).toBeGreaterThan(8);
  const asked: number[] = [];
  const rows = await done(
    writeMasks(map, [], { encoding: "png", expect: (bytes) => void asked.push(bytes) }),
  );
  expect(rows.count).toBeGreaterThan(4);
  const pieces: number[] = [];
  const file = await greyPng(map, (from, to) => {
    pieces.push(to - from);
    return new Uint8Array((to - from) * 1001);
  });
  expect(pieces).toEqual([1000, 1000, 500]);
  expect(maskOf({ mask: Buffer.from(file).toString("base64") }).size).toEqual([2500, 1000]);
});

test.each([
  [1, 1],
  [7, 64],
  [255, 2],
  [256, 2],
])("a small picture of %s × %s pixels is read as it was written", async (width, height) => {
  const rows = Buffer.alloc((width + 1) * height);
  for (let at = 0; at < rows.length; at++)
    rows[at] = at % (width + 1) > 0 && (at * 7) % 5 < 2 ? 255 : 0;
  const written = await greyPng({ width, height }, (from, to) =>
    Uint8Array.from(rows.subarray(from * (width + 1), to * (width + 1))),
  );
  const { pixels, size } = maskOf({ mask: Buffer.from(written).toString("base64") });
  expect(size).toEqual([height, width]);
  expect([...pixels]).toEqual(
    [...rows].filter((_, at) => at % (width + 1) > 0).map((level) => level / 255),
  );
  // It checks the sum of all bytes, too.
  expect(inflateSync(written.subarray(41, -16))).toEqual(rows);
});

function ones(numbers: Uint16Array): number {
  return numbers.filter((number) => number === 1).length;
}

test("a picture in a letterbox gets the labels of its own place", async () => {
  // The right half of the frame has label 1, and the picture lies in its middle 32 columns.
  const data = Float32Array.from({ length: 2 * 64 }, (_, at) =>
    at < 64 ? 1 : at % 64 < 32 ? 0 : 2,
  );
  const logits = gridOf({ count: 2, height: 1, width: 64, data });
  const frame = { width: 64, height: 4 };
  const read = async (place: { left: number; width: number }) => {
    const where = { place: { ...place, top: 0, height: 4 }, frame };
    return (await done(highestLabels(logits, { width: 64, height: 1 }, where))).value.numbers;
  };
  expect(ones(await read({ left: 0, width: 64 }))).toBe(32);
  expect(ones(await read({ left: 24, width: 16 }))).toBe(32);
  expect(ones(await read({ left: 32, width: 32 }))).toBe(64);
  expect(ones(await read({ left: 0, width: 32 }))).toBe(0);
});

test("mean intersection over union is that of scikit-learn", async () => {
  const cases = JSON.parse(await readFile(join(folder, "mean-iou.json"), "utf8")) as {
    truths: unknown[];
    answers: SegmentAnswer[][];
    mean_iou: number;
    pixel_accuracy: number;
  }[];
  expect(cases).toHaveLength(3);
  const quality = segmentationQuality(["wall", "sky", "red bus", "road"]);
  // One picture may take all that a request may.
  expect(quality.rows).toBe(1);
  for (const { truths, answers, mean_iou, pixel_accuracy } of cases) {
    expect(truths.map((truth) => quality.problemWith?.(truth))).toEqual(
      truths.map(() => undefined),
    );
    const metrics = quality.metrics(truths, answers);
    expect(metrics["mean_iou"]).toBeCloseTo(mean_iou, 9);
    expect(metrics["pixel_accuracy"]).toBeCloseTo(pixel_accuracy, 9);
  }
});

test("labels in the data that are no masks are refused", () => {
  const quality = segmentationQuality(["wall", "sky"]);
  const problemWith = (...truth: unknown[]) => quality.problemWith?.(truth);
  const wall = { label: "wall", mask: { size: [2, 3], counts: [0, 4, 2] } };
  const sky = { label: "sky", mask: { size: [2, 3], counts: [4, 2] } };
  expect(problemWith(wall, sky)).toBeUndefined();
  expect(problemWith({ ...wall, label: "sea" })).toBe('the model has no label "sea"');
  expect(problemWith()).toContain("must be an array of objects");
  expect(problemWith({ label: "wall", mask: "iVBO" })).toContain("must be an array of objects");
  const other = { ...sky, mask: { size: [3, 2], counts: [4, 2] } };
  expect(problemWith(wall, other)).toContain("must have one size");
  for (const counts of [[5], [0, 7], [0, 4, -2, 4], [3, 3], "o"])
    expect(problemWith(wall, { ...sky, mask: { size: [2, 3], counts } })).toContain("each count");
  const answer = [{ label: "wall", mask: { size: [1, 3], counts: [0, 3] } }];
  expect(() => quality.metrics([[wall]], [answer])).toThrow("have another size than the picture");
});

test("pictures get the sizes that MaskFormer's processors give them", async () => {
  const { sizes } = await recordedSegments();
  const edges = { shortestEdge: 100, longestEdge: 167, multipleOf: 4, rounding: "up" } as const;
  const resized = (width: number, height: number, arithmetic: ImageOptions["arithmetic"]) => {
    const options = { resize: edges, arithmetic } as ImageOptions;
    const place = placementOf({ width, height }, options);
    return [place.width, place.height];
  };
  const made = sizes.map(([width, height]) => [
    width,
    height,
    ...resized(width, height, "pillow"),
    ...resized(width, height, "torchvision"),
  ]);
  expect(made).toEqual(sizes);
});
