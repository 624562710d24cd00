// `npm run bench -- --only images`: from a file to the graph's input of 224 × 224, in JPEG and PNG, in this process.
import { encode as encodePng } from "fast-png";
import { decodeImage as decode } from "../test/harness/decode-image.ts";
import { fit } from "../functions/tasks/image/fit.ts";
import type { ImageOptions } from "../functions/tasks/image/options.ts";
import { convertColor, fillPixels, levelsOf } from "../functions/tasks/image/pixels.ts";
import { encodeJpeg } from "../test/harness/images.ts";
import type { Table } from "./report.ts";
import { inTurn } from "./rounds.ts";
import { median, summary, type Record } from "./statistics.ts";

const SIZES = { "224 × 224": [224, 224, 100], "2 megapixels": [1632, 1224, 8] } as const;
const FORMATS = ["JPEG", "PNG"] as const;
const OPTIONS: ImageOptions = {
  width: 224,
  height: 224,
  color: "rgb",
  layout: "NCHW",
  resample: "bilinear",
  orientation: "exif",
  arithmetic: "pillow",
  crop: "down",
  scale: 1 / 255,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
};

/** A picture with slopes and grain, like a photo. */
function photo(width: number, height: number) {
  const data = new Uint8Array(width * height * 4);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at += 4) {
      const grain = ((x * 7919 + y * 104_729) % 23) - 11;
      data[at] = 128 + 100 * Math.sin(x / 97 + y / 211) + grain;
      data[at + 1] = 128 + 90 * Math.sin(y / 71) + grain;
      data[at + 2] = 128 + 80 * Math.cos((x + y) / 131) - grain;
      data[at + 3] = 255;
    }
  return { width, height, data };
}

/** In one round, each file is decoded this many times. */
export async function startImages() {
  const levels = levelsOf(OPTIONS);
  const files = Object.entries(SIZES).flatMap(([size, [width, height, times]]) =>
    FORMATS.map((format) => {
      const picture = photo(width, height);
      const file = format === "PNG" ? encodePng(picture) : encodeJpeg(picture, 85);
      return { name: `${size} ${format}`, file, times };
    }),
  );

  function tensorOf(file: Uint8Array): Float32Array {
    const { orientation, color, layout } = OPTIONS;
    const image = decode(file, { maxPixels: 16_000_000, orientation });
    const tensor = new Float32Array(3 * OPTIONS.width * OPTIONS.height);
    fillPixels(fit(convertColor(image, color), OPTIONS), levels, layout, tensor, 0);
    return tensor;
  }

  return {
    async measure(record: Record, round: number) {
      for (const { name, file, times } of inTurn(files, round)) {
        const taken = Array.from({ length: times }, () => {
          const begun = performance.now();
          tensorOf(file);
          return performance.now() - begun;
        });
        record.add(name, median(taken));
      }
    },
    stop: async () => undefined,
  };
}

export function imageTables({ get }: Record): Table[] {
  return [
    {
      title: "From a file to the graph's input",
      note: "Milliseconds for one RGB image, resized to 224 × 224 where it is larger, and normalised. The JPEG is progressive.",
      columns: ["size", ...FORMATS],
      rows: Object.keys(SIZES).map((size) => [
        size,
        ...FORMATS.map((format) => summary(get(`${size} ${format}`), 2)),
      ]),
    },
  ];
}
