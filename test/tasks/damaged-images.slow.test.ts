import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeImage as decode } from "../harness/decode-image.ts";
import { withoutFourth } from "../harness/images.ts";

const pillow = JSON.parse(
  await readFile(join(import.meta.dirname, "../fixtures/images.json"), "utf8"),
) as { decoded: { file: string }[] };

const decodeImage = (file: Uint8Array, maxPixels: number) =>
  withoutFourth(decode(file, { maxPixels, orientation: "ignore" }));

describe("damaged files", () => {
  const files = pillow.decoded.map(({ file }) => new Uint8Array(Buffer.from(file, "base64")));

  test("any change of any byte gives pixels of the header's size or a RangeError", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        (file, changes) => {
          const damaged = Uint8Array.from(file);
          for (const [at, value] of changes) damaged[at % damaged.length] = value;
          expectImageOrRangeError(damaged);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("any truncation, and any bytes behind a signature", () => {
    for (const file of files)
      for (let length = 0; length < file.length; length++)
        expect(() => decodeImage(file.subarray(0, length), 1e6)).toThrow(RangeError);
    fc.assert(
      fc.property(
        fc.constantFrom([0x89, 0x50, 0x4e, 0x47], [0xff, 0xd8, 0xff]),
        fc.uint8Array(),
        (magic, rest) => expectImageOrRangeError(Uint8Array.from([...magic, ...rest])),
      ),
    );
  });
});

function expectImageOrRangeError(file: Uint8Array): void {
  try {
    const { width, height, channels, data } = decodeImage(file, 10_000);
    expect(data).toHaveLength(width * height * channels);
    expect(width * height).toBeLessThanOrEqual(10_000);
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
  }
}
