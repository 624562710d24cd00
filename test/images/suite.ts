import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeImage as decode } from "../harness/decode-image.ts";
import { resize } from "../../functions/tasks/image/resize.ts";
import { encodeJpeg, encodePng, withoutFourth } from "../harness/images.ts";
import type { StartTarget, Target } from "../harness/targets.ts";
import { emptyStore, writePackage } from "../tasks/service.ts";

const { cases } = JSON.parse(
  readFileSync(new URL("../fixtures/images/recorded.json", import.meta.url), "utf8"),
) as { cases: { name: string; file: string; rgb: string; turned?: object; refused?: string }[] };
const [WIDTH, HEIGHT] = [37, 29];
const SAMPLES = WIDTH * HEIGHT * 3;

/** The files' pixels through the whole service: the model answers with what it gets. */
export function imagesOn(start: StartTarget, { maxPixels }: { maxPixels: number }): void {
  let target: Target;
  beforeAll(async () => {
    const models = await emptyStore();
    await writePackage(models, {
      artifact: await readFile(new URL("../fixtures/images/pixels.onnx", import.meta.url)),
      manifest: {
        name: "pixels",
        task: "image-classification",
        inputs: [{ name: "pixels", datatype: "FP32", shape: [-1, HEIGHT, WIDTH, 3] }],
        outputs: [{ name: "scores", datatype: "FP32", shape: [-1, SAMPLES] }],
        labels: Array.from({ length: SAMPLES }, (_, sample) => String(sample)),
        scores: { output: "scores", activation: "none" },
        image: {
          width: WIDTH,
          height: HEIGHT,
          color: "rgb",
          layout: "NHWC",
          resample: "nearest",
          orientation: "exif",
          scale: 1,
          mean: [0, 0, 0],
          std: [1, 1, 1],
        },
      },
    });
    target = await start({ models });
  });
  afterAll(() => target.stop());

  const send = (file: Uint8Array<ArrayBuffer>, type = "application/octet-stream") =>
    target.fetch("/v1/models/pixels/predict", {
      method: "POST",
      body: file,
      headers: { "Content-Type": type },
    });

  test("files of every kind have Pillow's pixels", async () => {
    const files = cases.filter(({ refused }) => refused === undefined);
    for (let at = 0; at < files.length; at += 20) {
      const some = files.slice(at, at + 20);
      const response = await target.fetch("/v1/models/pixels/predict", {
        method: "POST",
        body: JSON.stringify({ inputs: some.map(({ file }) => file) }),
        headers: { "Content-Type": "application/json" },
      });
      const { outputs } = (await response.json()) as {
        outputs: { scores: Record<string, number> }[];
      };
      for (const [index, one] of some.entries()) {
        const scores = outputs[index]?.scores ?? {};
        const pixels = Uint8Array.from({ length: SAMPLES }, (_, sample) => scores[sample] ?? -1);
        expect(Buffer.from(pixels).equals(expectedPixels(one)), one.name).toBe(true);
      }
    }
  });

  test("others are refused by name", async () => {
    for (const { name, file, refused } of cases.filter((one) => one.refused !== undefined)) {
      const response = await send(Buffer.from(file, "base64"));
      expect(response.status, name).toBe(422);
      expect(((await response.json()) as { detail: string }).detail, name).toContain(refused);
    }
  });

  describe("an image of too many pixels is told its size, the limit and what to do", () => {
    const height = maxPixels / 1000 + 1;
    test.each([
      ["JPEG", encodeJpeg({ width: 1000, height, data: Buffer.alloc(4000 * height) }, 50)],
      ["PNG", Buffer.from(encodePng({ width: 1000, height, inflatesTo: 1001 * height }))],
    ])("%s", async (format, file) => {
      const response = await send(file, `image/${format.toLowerCase()}`);
      expect(response.status).toBe(422);
      const { detail } = (await response.json()) as { detail: string };
      expect(detail).toContain(`a ${format} image of 1000 × ${height} = ${1000 * height} pixels`);
      expect(detail).toContain(`a request may have ${maxPixels} (MAX_IMAGE_PIXELS`);
      expect(detail).toContain("make it smaller");
    });
  });
}

/** Recorded; of a turned file the model gets another shape, which was compared with Pillow's elsewhere. */
function expectedPixels({ file, rgb, turned }: (typeof cases)[number]): Buffer {
  const recorded = Buffer.from(rgb, "base64");
  if (!turned && recorded.length === SAMPLES) return recorded;
  const image = decode(Buffer.from(file, "base64"), { maxPixels: 1e6, orientation: "exif" });
  const { data } = resize(image, WIDTH, HEIGHT, { resample: "nearest", arithmetic: "pillow" });
  return Buffer.from(
    withoutFourth({ width: WIDTH, height: HEIGHT, channels: image.channels, data }).data,
  );
}
