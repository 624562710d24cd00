import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readImageOptions } from "../../cli/add/hugging-face-image.ts";
import { decodeImage as decode } from "../harness/decode-image.ts";
import { fit } from "../../functions/tasks/image/fit.ts";
import { imageOptions } from "../../functions/tasks/image/options.ts";
import { convertColor, fillPixels, levelsOf } from "../../functions/tasks/image/pixels.ts";
import { emptyStore } from "./service.ts";

const read = (name: string) =>
  JSON.parse(
    readFileSync(new URL(`../fixtures/${name}/recorded.json`, import.meta.url), "utf8"),
  ) as unknown;
const files = new Map(
  (read("images") as { cases: { name: string; file: string }[] }).cases.map(({ name, file }) => [
    name,
    Buffer.from(file, "base64"),
  ]),
);
const { cases } = read("image-processors") as {
  cases: {
    name: string;
    about: string;
    config: object;
    shape: number[];
    sha256: Record<string, string>;
  }[];
};

describe("exports from Hugging Face get the tensors of their image processor, to the bit", () => {
  test.each(cases)("$name: $about", async ({ config, shape, sha256 }) => {
    const path = join(await emptyStore(), "preprocessor_config.json");
    await writeFile(path, JSON.stringify(config));
    const options = imageOptions.image.parse((await readImageOptions(path)).image);
    expect([3, options.height, options.width]).toEqual(shape);
    const ours = Object.keys(sha256).map((name) => {
      const file = files.get(name) ?? Buffer.alloc(0);
      const image = decode(file, { maxPixels: 1e6, orientation: options.orientation });
      const sized = fit(convertColor(image, options.color), options);
      const tensor = new Float32Array(3 * options.height * options.width);
      fillPixels(sized, levelsOf(options), options.layout, tensor, 0);
      return [name, createHash("sha256").update(new Uint8Array(tensor.buffer)).digest("hex")];
    });
    expect(Object.fromEntries(ours)).toEqual(sha256);
  });
});
