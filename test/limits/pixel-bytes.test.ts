import { deflateSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { flatJpeg } from "../adversarial/cost/jpeg.ts";
import { plainPng } from "../adversarial/cost/pictures.ts";
import { openService } from "./counting-service.ts";

/** One colour, in a kilobyte or two. */
function plain(width: number, height: number): Buffer {
  const usual = { colour: "grey", depth: 1, interlaced: false, filter: 0, chunks: 0 } as const;
  const file = plainPng({ width, height, ...usual });
  if (!file) throw new Error("no PNG");
  return file;
}

/** Eight megapixels, and as many bytes as they need. */
const picture: Buffer<ArrayBuffer> = Buffer.concat([
  plain(4000, 2000),
  Buffer.alloc(8_000_000 / 64),
]);
const base64 = picture.toString("base64");
const JSON_TYPE = "application/json";

const WAYS: Record<string, { path: string; type: string; body: Buffer<ArrayBuffer> | string }> = {
  "as a body": { path: "/v1/models/digits/predict", type: "image/png", body: picture },
  "in JSON": {
    path: "/v1/models/digits/predict",
    type: JSON_TYPE,
    body: JSON.stringify({ inputs: base64 }),
  },
  "in a form": {
    path: "/v1/models/digits/predict",
    type: "multipart/form-data; boundary=b",
    body: Buffer.concat([
      Buffer.from(
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n',
      ),
      picture,
      Buffer.from("\r\n--b--\r\n"),
    ]),
  },
  "for TensorFlow Serving": {
    path: "/v1/models/digits:predict",
    type: JSON_TYPE,
    body: JSON.stringify({ instances: [{ b64: base64 }] }),
  },
  "for MLflow": {
    path: "/invocations",
    type: JSON_TYPE,
    body: JSON.stringify({ instances: [{ b64: base64 }] }),
  },
};

test.each(Object.entries(WAYS))(
  "pixels are paid for with the bytes that came: a picture %s",
  async (_name, { path, type, body }) => {
    const { ask } = openService({ DEFAULT_MODEL: "digits" });
    const headers = { "Content-Type": type };
    for (const [coding, coded] of Object.entries({
      gzip: gzipSync(body),
      deflate: deflateSync(body),
    })) {
      const refused = await ask(path, coded, { ...headers, "Content-Encoding": coding });
      expect(refused.status).toBe(422);
      const problem = `8000000 pixels in ${coded.length} bytes`;
      expect(JSON.stringify(refused.body)).toContain(problem);
    }
    expect((await ask(path, body, headers)).status).toBe(200);
  },
);

test("the images of a request pay together", async () => {
  const { ask } = openService();
  const answer = (...inputs: string[]) =>
    ask("/v1/models/digits/predict", JSON.stringify({ inputs }));
  const small = plain(1500, 1500).toString("base64");
  expect((await answer(small)).status).toBe(200);
  const refused = await answer(small, small);
  expect(refused.status).toBe(422);
  expect(JSON.stringify(refused.body)).toContain("(4500000 with those before it)");
  // The bytes of a photo leave something for others.
  const photo = Buffer.concat([plain(1000, 1000), Buffer.alloc(100_000)]).toString("base64");
  expect((await answer(photo, small, small)).status).toBe(200);
});

/** A JPEG of four components, in a few kilobytes. */
const fourComponents = (side: number) =>
  flatJpeg({
    width: side,
    height: side,
    components: 4,
    across: 1,
    down: 1,
    isProgressive: true,
    scans: 0,
    restartInterval: 0,
    profileBytes: 0,
  });

test("a JPEG of four components pays for three times its pixels", async () => {
  const { ask } = openService();
  const answer = (file: Buffer) =>
    ask("/v1/models/digits/predict", new Uint8Array(file), { "Content-Type": "image/jpeg" });
  const refused = await answer(fourComponents(1250));
  expect(refused.status).toBe(422);
  expect(JSON.stringify(refused.body)).toContain("more than 1400000 pixels");
  expect((await answer(fourComponents(1100))).status).toBe(200);
  // As many bytes as a photo has.
  const photo = Buffer.concat([fourComponents(1250), Buffer.alloc(200_000)]);
  expect((await answer(photo)).status).toBe(200);
});
