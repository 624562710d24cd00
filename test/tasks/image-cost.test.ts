import { expect, test } from "vitest";
import { decodeImage as decode } from "../harness/decode-image.ts";
import { convertColor } from "../../functions/tasks/image/pixels.ts";
import { flatJpeg, type JpegOptions } from "../adversarial/cost/jpeg.ts";
import { plainPng, type PngOptions } from "../adversarial/cost/pictures.ts";

const SIDE = 1000;

const KINDS: Record<string, Buffer> = {
  "a JPEG of four components": jpeg({ components: 4 }),
  "a JPEG of planes of half the height": jpeg({ down: 2 }),
  "a JPEG of four components and half the height": jpeg({ components: 4, down: 2 }),
  "a progressive JPEG of four components": jpeg({ components: 4, isProgressive: true, scans: 9 }),
  "a grey PNG of 16 bits": png({ colour: "grey", depth: 16 }),
  "an interlaced grey PNG of 16 bits": png({ colour: "grey", depth: 16, interlaced: true }),
  "a colour PNG of 16 bits": png({ colour: "alpha", depth: 16 }),
};

test.each(Object.entries(KINDS))(
  "%s takes about as long as a plain one of its size",
  { retry: 2 },
  (_name, file) => {
    const plain = leastTime(jpeg({}));
    expect(leastTime(file)).toBeLessThan(20 * plain);
  },
);

function leastTime(file: Buffer): number {
  const times = Array.from({ length: 3 }, () => {
    const begun = performance.now();
    convertColor(decode(file, { maxPixels: SIDE * SIDE, orientation: "ignore" }), "rgb");
    return performance.now() - begun;
  });
  return Math.min(...times);
}

function jpeg(options: Partial<JpegOptions>): Buffer {
  return flatJpeg({
    width: SIDE,
    height: SIDE,
    components: 3,
    across: 1,
    down: 1,
    isProgressive: false,
    scans: 0,
    restartInterval: 0,
    profileBytes: 0,
    ...options,
  });
}

function png(options: Partial<PngOptions>): Buffer {
  const plain = { colour: "colour", depth: 8, interlaced: false, filter: 4, chunks: 0 } as const;
  const file = plainPng({ width: SIDE, height: SIDE, ...plain, ...options });
  if (!file) throw new Error("no PNG");
  return file;
}
