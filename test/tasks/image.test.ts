import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { decode as decodePng } from "fast-png";
import { describe, expect, test } from "vitest";
import { decodeImage as decode } from "../harness/decode-image.ts";
import type { Pixels } from "../../functions/tasks/image/pixels.ts";
import type { ImageOptions } from "../../functions/tasks/image/options.ts";
import { convertColor } from "../../functions/tasks/image/pixels.ts";
import { checkFit, fit } from "../../functions/tasks/image/fit.ts";
import { resize } from "../../functions/tasks/image/resize.ts";
import { encodeJpeg, encodePng, pngChunk, withoutFourth } from "../harness/images.ts";

// The pixels that Pillow reads from the same files. Models are trained with it.
const pillow = JSON.parse(
  readFileSync(join(import.meta.dirname, "../fixtures/images.json"), "utf8"),
) as {
  decoded: {
    name: string;
    file: string;
    width: number;
    height: number;
    rgb: string;
    grayscale: string;
  }[];
  source: string;
  resized: {
    resample: "nearest" | "bilinear" | "bicubic";
    width: number;
    height: number;
    rgb: string;
  }[];
  cropped: {
    source: string;
    resample: "nearest" | "bilinear" | "bicubic";
    width: number;
    height: number;
    resize: { shortestEdge: number } | { width: number; height: number };
    rgb: string;
  }[];
  padded: {
    source: string;
    resample: "nearest" | "bilinear" | "bicubic";
    width: number;
    height: number;
    resize: { pad: number[] };
    rgb: string;
  }[];
};

const decodeImage = (file: Uint8Array, maxPixels: number) =>
  withoutFourth(decode(file, { maxPixels, orientation: "ignore" }));
const pillows = { arithmetic: "pillow" } as const;
const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));

function largestDifference(image: Pixels, expected: string): number {
  const other = bytes(expected);
  expect(image.data).toHaveLength(other.length);
  return image.data.reduce(
    (most, value, index) => Math.max(most, Math.abs(value - (other[index] ?? 0))),
    0,
  );
}

describe("decoding gives the pixels that Pillow gives", () => {
  test.each(pillow.decoded)("$name", ({ file, width, height, rgb, grayscale }) => {
    const image = decodeImage(bytes(file), 1e6);
    expect([image.width, image.height]).toEqual([width, height]);
    expect(largestDifference(convertColor(image, "rgb"), rgb)).toBe(0);
    expect(largestDifference(convertColor(image, "grayscale"), grayscale)).toBe(0);
  });
});

describe("resizing gives the pixels that Pillow gives, to the level", () => {
  const source = decodeImage(bytes(pillow.source), 1e6);
  test.each(pillow.resized)("$resample to $width × $height", ({ resample, width, height, rgb }) => {
    expect(largestDifference(resize(source, width, height, { ...pillows, resample }), rgb)).toBe(0);
  });
});

test("a narrow and very tall image is shrunk before it is widened", () => {
  const height = 2_000_000;
  const image: Pixels = { width: 1, height, channels: 1, data: new Uint8Array(height).fill(7) };
  // In the other order the image between the steps would have more pixels than an array can hold.
  const wide = resize(image, 1_000_000, 2, { ...pillows, resample: "bilinear" });
  expect(wide.data.every((value) => value === 7)).toBe(true);
});

const EOI = Buffer.from([0xff, 0xd9]);

function file(name: string): Buffer {
  const found = pillow.decoded.find((image) => image.name === name);
  return Buffer.from(found?.file ?? "", "base64");
}

/** A black PNG, 4,000 pixels wide. */
function wide(height: number): Buffer {
  return encodePng({ width: 4000, height, inflatesTo: 4001 * height });
}

describe("files that cost more than they show", () => {
  test("more pixels than allowed are refused, in either format", () => {
    for (const { name, width, height, file: base64 } of pillow.decoded) {
      expect(() => decodeImage(bytes(base64), width * height), name).not.toThrow();
      expect(() => decodeImage(bytes(base64), width * height - 1), name).toThrow(RangeError);
    }
  });

  test("a JPEG that goes over its blocks a thousand times", () => {
    const jpeg = file("progressive JPEG");
    const lastScan = jpeg.subarray(jpeg.lastIndexOf(Buffer.from([0xff, 0xda])), -2);
    const scans = Array.from({ length: 1000 }, () => lastScan);
    const bomb = Buffer.concat([jpeg.subarray(0, -2), ...scans, jpeg.subarray(-2)]);
    expect(() => decodeImage(bomb, 1e6)).toThrow(/scans/);
  });

  test("a large JPEG that goes over its blocks often, though less so than a small one may", () => {
    const whole = encodeJpeg({ width: 4000, height: 4000, data: Buffer.alloc(64e6) }, 50);
    const lastScan = whole.subarray(whole.lastIndexOf(Buffer.from([0xff, 0xda])), -2);
    const bomb = Buffer.concat([whole.subarray(0, -2), ...Array(12).fill(lastScan), EOI]);
    const begun = performance.now();
    expect(() => decodeImage(bomb, 16e6)).toThrow(/\d+ scans, too many for its size/);
    expect(performance.now() - begun).toBeLessThan(200);
  });

  test("a few kilobytes that would become many millions of pixels", () => {
    expect(decode(wide(1000), { maxPixels: 16e6, orientation: "ignore" }).width).toBe(4000);
    expect(() => decodeImage(wide(4000), 16e6)).toThrow(
      /16000000 pixels in \d+ bytes; more than 4200000 pixels need a byte for each 64/,
    );
  });

  test("a small JPEG with the scans of a large photo", () => {
    const whole = encodeJpeg({ width: 2000, height: 2000, data: Buffer.alloc(16e6) }, 50);
    const lastScan = whole.subarray(whole.lastIndexOf(Buffer.from([0xff, 0xda])), -2);
    expect(() => decodeImage(whole, 16e6)).not.toThrow();
    const bomb = Buffer.concat([whole.subarray(0, -2), ...Array(12).fill(lastScan), EOI]);
    expect(() => decodeImage(bomb, 16e6)).toThrow(/\d+ scans, too many for its size/);
  });

  test("an interlaced PNG of 4 bits a sample is not misread", () => {
    const interlaced =
      "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACBAAAAAEK6ORRAAAAEUlEQVR4nGMoZ5jMUMPwjwUACyMCiVOIACIAAAAASUVORK5CYII=";
    const image = convertColor(decodeImage(bytes(interlaced), 1e6), "grayscale");
    expect(Array.from(image.data)).toEqual([119, 119, 153, 255, 238, 0]);
  });

  test("a chunk that pixels do not need is not inflated", () => {
    const png = file("RGB PNG");
    const header = png.subarray(0, 33);
    // The data of this colour profile is not deflated, so inflating it fails.
    const profile = pngChunk("iCCP", Buffer.from("name\0\0not deflated"));
    const withProfile = Buffer.concat([header, profile, png.subarray(33)]);
    expect(decodeImage(withProfile, 1e6)).toEqual(decodeImage(png, 1e6));
  });
});

test.each([
  [1, 16_000_000],
  [16_000_000, 1],
])("an image of %i × %i pixels needs no more memory than others", (width, height) => {
  const data = new Uint8Array(width * height).fill(7);
  const small = resize({ width, height, channels: 1, data }, 4096, 4096, {
    ...pillows,
    resample: "bilinear",
  });
  expect(small.data).toHaveLength(4096 * 4096);
  expect(small.data.every((value) => value === 7)).toBe(true);
});

describe("cutting the centre or padding gives the pixels that Pillow gives, to the level", () => {
  const others: Omit<ImageOptions, "width" | "height" | "resample"> = {
    color: "rgb",
    layout: "NCHW",
    orientation: "ignore",
    arithmetic: "pillow",
    crop: "down",
    scale: 1,
    mean: [0],
    std: [1],
  };
  test.each([...pillow.cropped, ...pillow.padded])(
    "$resample $width × $height of $resize",
    ({ source, rgb, ...size }) => {
      const { width, height, data } = fit(decodeImage(bytes(source), 1e6), { ...others, ...size });
      expect([width, height]).toEqual([size.width, size.height]);
      expect(largestDifference({ width, height, channels: 3, data }, rgb)).toBe(0);
    },
  );

  test("a centre larger than the image it is cut out of is refused", () => {
    for (const resize of [{ shortestEdge: 15 }, { width: 16, height: 15 }])
      expect(() =>
        checkFit({ ...others, width: 16, height: 16, resample: "nearest", resize }),
      ).toThrow("image.resize");
  });

  test("a colour around the image that does not have its channels is refused", () => {
    const size = { width: 16, height: 16, resample: "nearest" } as const;
    for (const pad of [[0], [0, 0]])
      expect(() => checkFit({ ...others, ...size, resize: { pad } })).toThrow(
        "image.resize.pad needs 3 values",
      );
  });
});

test("small PNGs of every filter and colour type are what fast-png makes of them", () => {
  const channelsOf = { 0: 1, 2: 3, 4: 2, 6: 4 } as const;
  const property = fc.property(
    fc.constantFrom(0, 2, 4, 6),
    fc.integer({ min: 1, max: 6 }),
    fc.array(
      fc.tuple(fc.integer({ min: 0, max: 4 }), fc.uint8Array({ minLength: 24, maxLength: 24 })),
      {
        minLength: 1,
        maxLength: 6,
      },
    ),
    (color, width, lines) => {
      const channels = channelsOf[color];
      const rows = lines.map(([filter, samples]) =>
        Buffer.from([filter, ...samples.subarray(0, width * channels)]),
      );
      const header = Buffer.alloc(13);
      header.writeUInt32BE(width, 0);
      header.writeUInt32BE(rows.length, 4);
      header.set([8, color], 8);
      const file = Buffer.concat([
        Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
        pngChunk("IHDR", header),
        pngChunk("IDAT", deflateSync(Buffer.concat(rows))),
        pngChunk("IEND", Buffer.alloc(0)),
      ]);
      const kept = channels < 3 ? 1 : 3;
      const samples = Array.from(decodePng(file).data);
      const expected = samples.filter((_, index) => index % channels < kept);
      const image = convertColor(decodeImage(file, 1e6), kept === 1 ? "grayscale" : "rgb");
      expect(Array.from(image.data)).toEqual(expected);
    },
  );
  fc.assert(property, { numRuns: 300 });
});

test("a header that promises more than its data can hold takes no memory", () => {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(2000, 0);
  header.writeUInt32BE(2000, 4);
  header.set([8, 6], 8);
  const file = Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk("IHDR", header),
    pngChunk("IDAT", deflateSync(Buffer.alloc(100))),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
  const before = process.memoryUsage().arrayBuffers;
  expect(() => decodeImage(file, 16e6)).toThrow("fewer pixels than its header says");
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4000 * 4000);
});
