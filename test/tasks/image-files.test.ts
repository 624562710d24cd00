import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodeImage as decode } from "../harness/decode-image.ts";
import { convertColor, type Pixels } from "../../functions/tasks/image/pixels.ts";
import { withoutFourth } from "../harness/images.ts";

interface Recorded {
  name: string;
  about: string;
  file: string;
  refused?: string;
  width: number;
  height: number;
  rgb: string;
  greySha256: string;
  turned?: { width: number; height: number; rgbSha256: string };
}

const { cases } = JSON.parse(
  readFileSync(new URL("../fixtures/images/recorded.json", import.meta.url), "utf8"),
) as { cases: Recorded[] };
const read = cases.filter(({ refused }) => refused === undefined);

describe("files of every kind have Pillow's pixels, to the level", () => {
  test.each(read)("$name: $about", ({ file, width, height, rgb, greySha256 }) => {
    const image = decode(Buffer.from(file, "base64"), { maxPixels: 1e6, orientation: "ignore" });
    expect([image.width, image.height]).toEqual([width, height]);
    expect(differences(rgbOf(image), Buffer.from(rgb, "base64"))).toEqual({ samples: 0, most: 0 });
    expect(sha256(convertColor(image, "grayscale").data)).toBe(greySha256);
  });
});

describe("files that say how they were held are turned upright as by Pillow", () => {
  test.each(read)("$name: $about", ({ file, width, height, rgb, turned }) => {
    const image = decode(Buffer.from(file, "base64"), { maxPixels: 1e6, orientation: "exif" });
    const expected = turned ?? { width, height, rgbSha256: sha256(Buffer.from(rgb, "base64")) };
    expect([image.width, image.height]).toEqual([expected.width, expected.height]);
    expect(sha256(rgbOf(image))).toBe(expected.rgbSha256);
  });
});

describe("files that are not read are refused by name", () => {
  test.each(cases.filter(({ refused }) => refused !== undefined))(
    "$name: $about",
    ({ file, refused = "" }) => {
      const open = () =>
        decode(Buffer.from(file, "base64"), { maxPixels: 1e6, orientation: "exif" });
      expect(open).toThrow(RangeError);
      expect(open).toThrow(refused);
    },
  );
});

function rgbOf(image: Pixels): Uint8Array {
  return withoutFourth(convertColor(image, "rgb")).data;
}

function differences(ours: Uint8Array, theirs: Uint8Array) {
  expect(ours).toHaveLength(theirs.length);
  const apart = Array.from(ours, (value, at) => Math.abs(value - (theirs[at] ?? 0)));
  return { samples: apart.filter((by) => by > 0).length, most: Math.max(...apart) };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
