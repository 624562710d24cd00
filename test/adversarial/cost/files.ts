import { postJson, type Attack } from "../request.ts";
import { digitPng } from "../valid-requests.ts";
import type { Gene, Genes, Recipe } from "./genes.ts";
import { flatJpeg, type JpegOptions } from "./jpeg.ts";
import {
  animatedWebp,
  jpegOfScans,
  plainPng,
  plainWebp,
  transparentWebp,
  type PngOptions,
} from "./pictures.ts";

const CARRY = {
  as: ["raw", "json", "form", "tensorflow-serving", "mlflow"],
  /** How many times the file is in the request. */
  times: [1, 1000],
} satisfies Record<string, Gene>;

const DIGITS = "/v1/models/digits/predict";
const LONGEST = 6_400_000;

const png: Recipe = {
  name: "PNG",
  genes: {
    ...CARRY,
    width: [1, 70_000],
    height: [1, 70_000],
    colour: ["grey", "colour", "palette", "alpha"],
    depth: ["1", "8", "16"],
    interlace: ["no", "yes"],
    filter: ["0", "1", "2", "3", "4"],
    chunks: [0, 4000],
    inflated: [0, 40_000_000],
  },
  make(genes) {
    if (Number(genes["width"]) * Number(genes["height"]) > 40_000_000) return undefined;
    const file = plainPng({
      width: Number(genes["width"]),
      height: Number(genes["height"]),
      colour: genes["colour"] as PngOptions["colour"],
      depth: Number(genes["depth"]),
      interlaced: genes["interlace"] === "yes",
      filter: Number(genes["filter"]),
      chunks: Number(genes["chunks"]),
      inflated: Number(genes["inflated"] ?? 0),
    });
    return file && carried(file, "image/png", genes);
  },
};

const jpeg: Recipe = {
  name: "JPEG",
  genes: { ...CARRY, width: [8, 8000], height: [8, 8000], scans: [1, 400] },
  make(genes) {
    const [width, height] = [Number(genes["width"]), Number(genes["height"])];
    // A larger one is refused for its size, and takes seconds to make.
    if (width * height > 17_000_000) return undefined;
    return carried(jpegOfScans(width, height, Number(genes["scans"])), "image/jpeg", genes);
  },
};

const oddJpeg: Recipe = {
  name: "JPEG of any structure",
  genes: {
    ...CARRY,
    width: [8, 8000],
    height: [8, 8000],
    components: ["1", "3", "4"],
    sampling: ["11", "21", "12", "22", "14", "41"],
    progressive: ["no", "yes"],
    scans: [0, 31],
    restarts: [0, 5000],
    profile: [0, 4_000_000],
  },
  make(genes) {
    const [width, height] = [Number(genes["width"]), Number(genes["height"])];
    if (width * height > 17_000_000) return undefined;
    const [across = 1, down = 1] = Array.from(String(genes["sampling"]), Number);
    const file = flatJpeg({
      width,
      height,
      components: Number(genes["components"]) as JpegOptions["components"],
      across,
      down,
      isProgressive: genes["progressive"] === "yes",
      scans: Number(genes["scans"]),
      restartInterval: Number(genes["restarts"]),
      profileBytes: Number(genes["profile"]),
    });
    return carried(file, "image/jpeg", genes);
  },
};

const webp: Recipe = {
  name: "WebP",
  genes: {
    ...CARRY,
    width: [1, 16_383],
    height: [1, 16_383],
    lossless: ["no", "yes"],
    kind: ["plain", "transparent", "animated"],
  },
  make(genes) {
    const [width, height] = [Number(genes["width"]), Number(genes["height"])];
    if (width * height > 17_000_000) return undefined;
    const lossless = genes["lossless"] === "yes";
    const { kind } = genes;
    const file =
      kind === "animated"
        ? animatedWebp(width, height)
        : kind === "transparent"
          ? transparentWebp(width, height, lossless)
          : plainWebp(width, height, lossless);
    return carried(file, "image/webp", genes);
  },
};

const form: Recipe = {
  name: "form",
  genes: {
    parts: [0, 100_000],
    kind: ["file", "field", "parameters", "nothing"],
    bytes: [0, LONGEST],
    fill: ["zero", "boundary", "line", "digit"],
    boundary: [1, 200],
    headers: [0, 20_000],
    headerLength: [0, 100_000],
    preamble: [0, LONGEST],
  },
  make(genes) {
    const boundary = "b".repeat(Number(genes["boundary"]));
    const fill = { boundary: `\r\n-${boundary}`, line: "\r\n", zero: "\0" }[String(genes["fill"])];
    const bytes = Number(genes["bytes"]);
    const content = fill ? Buffer.from(fill.repeat(Math.floor(bytes / fill.length))) : digitPng;
    const headers = `X-A: ${"a".repeat(Number(genes["headerLength"]))}\r\n`;
    const size = content.length + headers.length * Number(genes["headers"]) + boundary.length + 80;
    if (size * Number(genes["parts"]) + Number(genes["preamble"]) > LONGEST) return undefined;
    const disposition = {
      file: 'form-data; name="file"; filename="a.png"',
      field: 'form-data; name="a"',
      parameters: 'form-data; name="parameters"',
      nothing: "",
    }[String(genes["kind"])];
    const head = `--${boundary}\r\nContent-Disposition: ${disposition}\r\n${headers.repeat(Number(genes["headers"]))}\r\n`;
    const part = Buffer.concat([Buffer.from(head), content, Buffer.from("\r\n")]);
    return posted(`multipart/form-data; boundary=${boundary}`, [
      Buffer.from("a\n".repeat(Number(genes["preamble"]) / 2)),
      ...Array.from({ length: Number(genes["parts"]) }, () => part),
      Buffer.from(`--${boundary}--\r\n`),
    ]);
  },
};

export const fileRecipes: Recipe[] = [png, jpeg, oddJpeg, webp, form];

function posted(type: string, chunks: readonly Buffer[]): Attack {
  return {
    kind: type,
    method: "POST",
    path: DIGITS,
    headers: [["Content-Type", type]],
    body: Buffer.concat(chunks),
  };
}

/** The file once or many times, in one of the ways that a model of images takes files. */
function carried(file: Buffer, type: string, { as, times }: Genes): Attack | undefined {
  const count = as === "raw" ? 1 : Number(times);
  if (file.length * 1.4 * count > LONGEST) return undefined;
  if (as === "raw") return posted(type, [file]);
  if (as === "form") {
    const head = `--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nContent-Type: ${type}\r\n\r\n`;
    const part = Buffer.concat([Buffer.from(head), file, Buffer.from("\r\n")]);
    const parts = Array.from({ length: count }, () => part);
    return posted("multipart/form-data; boundary=b", [...parts, Buffer.from("--b--\r\n")]);
  }
  const text = file.toString("base64");
  const inputs = Array.from({ length: count }, () => (as === "json" ? text : { b64: text }));
  if (as === "json") return postJson(DIGITS, { inputs });
  if (as === "mlflow")
    return postJson("/invocations", { instances: inputs }, [
      ["X-Amzn-SageMaker-Target-Model", "digits"],
    ]);
  return postJson("/v1/models/digits:predict", { instances: inputs });
}
