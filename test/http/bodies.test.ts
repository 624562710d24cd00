import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PLATFORMS } from "../dialects/platforms.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import type { Target } from "../harness/targets.ts";

const FLOWER = Buffer.from(JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }));
const [HEAD, TAIL] = [FLOWER.subarray(0, 10), FLOWER.subarray(10)];
const whole = gzipSync(FLOWER);
const flipped = Buffer.from(whole);
flipped[whole.length - 8]! ^= 1;

const CODED: [what: string, coding: string, body: Buffer, refused?: string][] = [
  ["gzip", "gzip", whole],
  ["gzip of two members", "gzip", Buffer.concat([gzipSync(HEAD), gzipSync(TAIL)])],
  ["gzip with an empty member", "gzip", Buffer.concat([gzipSync(""), whole, gzipSync("")])],
  ["gzip before zeros", "gzip", Buffer.concat([whole, Buffer.alloc(512)])],
  ["x-gzip", "x-gzip", whole],
  ["GZIP", "GZIP", whole],
  ["deflate with zlib's header", "deflate", deflateSync(FLOWER)],
  ["deflate without a header", "deflate", deflateRawSync(FLOWER)],
  ["gzip before other bytes", "gzip", Buffer.concat([whole, Buffer.from("junk")]), "not gzip data"],
  [
    "gzip before zeros and more",
    "gzip",
    Buffer.concat([whole, Buffer.from("\0\0x")]),
    "3 bytes after",
  ],
  ["gzip cut in the middle", "gzip", whole.subarray(0, 30), "cut off"],
  ["gzip cut in its checksum", "gzip", whole.subarray(0, -2), "cut off"],
  ["gzip with another checksum", "gzip", flipped, "not gzip data"],
  [
    "gzip whose second member is cut",
    "gzip",
    Buffer.concat([whole, whole.subarray(0, 12)]),
    "cut off",
  ],
  ["deflate cut off", "deflate", deflateSync(FLOWER).subarray(0, -3), "cut off"],
  [
    "deflate before other bytes",
    "deflate",
    Buffer.concat([deflateSync(FLOWER), HEAD]),
    "10 bytes after",
  ],
  ["no gzip", "gzip", FLOWER, "not gzip data"],
  ["nothing", "gzip", Buffer.alloc(0), "cut off"],
  [
    "many members",
    "gzip",
    Buffer.concat(Array<Buffer>(1001).fill(gzipSync(""))),
    "at most 1000 gzip members",
  ],
];

const TEXT = "Schöne Qualität, très déçu";
const CYRILLIC = "Очень плохо";

/** Encodes a text in a charset of one byte a character. */
function encoded(text: string, charset: string): Buffer {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const table = bytes.map((byte) => new TextDecoder(charset).decode(Uint8Array.of(byte)));
  return Buffer.from(Array.from(text, (character) => table.indexOf(character)));
}

/** The part of an answer that is equal in all answers to the same request. */
function outputs({ status, text }: { status: number; text: string }): [number, string] {
  return [status, text.replace(/"requestId":"[^"]+"/, "")];
}

/** How each dialect is asked about a text. */
const DIALECTS: [path: string, body: (text: string) => string, headers?: Record<string, string>][] =
  [
    ["/v1/models/sentiment/predict", (text) => JSON.stringify({ inputs: text })],
    ["/v1/models/sentiment:predict", (text) => JSON.stringify({ instances: [text] })],
    [
      "/v2/models/bytes/infer",
      (text) =>
        JSON.stringify({
          inputs: [{ name: "x", shape: [1, 1, 1], datatype: "BYTES", data: [text] }],
        }),
    ],
    ["/invocations", (text) => JSON.stringify({ inputs: [text] })],
    ["/invocations", (text) => `text\n"${text}"\n`, { "Content-Type": "text/csv" }],
    ["/v1/embeddings", (text) => JSON.stringify({ model: "search", input: text })],
  ];

describe.each(inThisFile(PLATFORMS))("bodies on %s", (platform, start) => {
  let server: Target;
  beforeAll(async () => void (server = await start()));
  afterAll(() => server?.stop());

  async function send(path: string, body: Uint8Array, headers: Record<string, string>) {
    const response = await server.fetch(path, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "X-Amzn-SageMaker-Target-Model": "sentiment",
        ...headers,
      },
      body: new Uint8Array(body),
    });
    return { status: response.status, text: await response.text() };
  }

  test.each(CODED)("%s", async (_what, coding, body, refused) => {
    const path = "/v1/models/iris/predict";
    const answer = await send(path, body, { "Content-Encoding": coding });
    expect(answer.text).toContain(refused ?? '"label":"setosa"');
    expect(answer.status).toBe(refused === undefined ? 200 : 400);
  });

  test("what is too large when it is decompressed, in one member or in many", async () => {
    const packed = { "Content-Encoding": "gzip" };
    const million = gzipSync(Buffer.alloc(1_000_000, " "));
    for (const body of [
      gzipSync(Buffer.alloc(50_000_000)),
      Buffer.concat([million, million, million]),
    ])
      expect((await send("/v1/models/iris/predict", body, packed)).status).toBe(413);
  });

  describe.each(DIALECTS)("text for %s", (path, bodyOf, headers = {}) => {
    const type = headers["Content-Type"] ?? "application/json";

    /** On Lambda only a compressed body arrives as it was sent. */
    async function ask(body: Buffer, charset?: string) {
      const contentType = charset === undefined ? type : `${type}; charset=${charset}`;
      const asked = { ...headers, "Content-Type": contentType };
      if (platform !== "lambda") return send(path, body, asked);
      return send(path, gzipSync(body), { ...asked, "Content-Encoding": "gzip" });
    }

    test("is read by its charset", async () => {
      const expected = await ask(Buffer.from(bodyOf(TEXT)));
      expect(expected.status).toBe(200);
      for (const charset of ["iso-8859-1", "LATIN1", '"windows-1252"', "iso-8859-15"]) {
        const body = encoded(bodyOf(TEXT), charset.replaceAll('"', ""));
        expect(outputs(await ask(body, charset))).toEqual(outputs(expected));
      }
      const marked = Buffer.from(`\uFEFF${bodyOf(TEXT)}`, "utf16le");
      for (const [body, charset] of [
        [Buffer.from(bodyOf(TEXT)), "utf-8"],
        [Buffer.from(`\uFEFF${bodyOf(TEXT)}`), undefined],
        [marked, undefined],
        [marked, "utf-16"],
        [Buffer.from(marked).swap16(), "utf-16"],
        [marked.subarray(2), "utf-16le"],
      ] as const)
        expect(outputs(await ask(body, charset))).toEqual(outputs(expected));
      const russian = await ask(Buffer.from(bodyOf(CYRILLIC)));
      for (const charset of ["windows-1251", "koi8-r", "iso-8859-5"])
        expect(outputs(await ask(encoded(bodyOf(CYRILLIC), charset), charset))).toEqual(
          outputs(russian),
        );
    });

    test("is refused where a byte is not of the charset", async () => {
      const latin = encoded(bodyOf(TEXT), "iso-8859-1");
      const cut = Buffer.concat([Buffer.from(bodyOf("a")), Buffer.from([0xf0, 0x9f, 0x98])]);
      for (const charset of [undefined, "utf-8", "us-ascii"])
        for (const body of [latin, cut]) {
          const { status, text } = await ask(body, charset);
          expect(status).toBe(400);
          expect(text).toMatch(/The body is not UTF-8: byte \d+ \(0x[0-9A-F]{2}, on line \d\)/);
        }
      const half = Buffer.concat([Buffer.from(bodyOf(TEXT), "utf16le"), Buffer.from([0])]);
      expect((await ask(half, "utf-16le")).text).toContain("The body is not utf-16le");
    });

    test("is refused in a charset that is not read everywhere", async () => {
      for (const charset of ["shift_jis", "utf-7", "x-unknown"]) {
        const { status, text } = await ask(Buffer.from(bodyOf("a")), charset);
        expect(status).toBe(415);
        expect(text).toContain(`in the charset ${charset}, which is not read here`);
      }
    });
  });

  test.runIf(platform === "lambda")("text that AWS has damaged is refused", async () => {
    const path = "/v1/models/sentiment/predict";
    const latin = encoded(JSON.stringify({ inputs: TEXT }), "iso-8859-1");
    for (const type of ["application/json", "application/json; charset=iso-8859-1"]) {
      const answer = await send(path, latin, { "Content-Type": type });
      expect(answer.status).toBe(400);
      expect(answer.text).toContain("Send UTF-8, or compress the body");
    }
    const written = Buffer.from(JSON.stringify({ inputs: "a \uFFFD of the client's own" }));
    expect((await send(path, written, {})).status).toBe(200);
  });

  test("bytes in base64 and in binary tensors that are not UTF-8 are refused", async () => {
    const base64 = Buffer.from(JSON.stringify({ instances: [{ b64: "6Q==" }] }));
    const row = await send("/v1/models/sentiment:predict", base64, {});
    expect(row).toMatchObject({
      status: 400,
      text: expect.stringContaining("instances[0] is not UTF-8"),
    });
    const tensor = {
      name: "x",
      shape: [1],
      datatype: "BYTES",
      parameters: { binary_data_size: 5 },
    };
    const json = Buffer.from(JSON.stringify({ inputs: [tensor] }));
    const body = Buffer.concat([json, Buffer.from([1, 0, 0, 0, 0xe9])]);
    const answer = await send("/v2/models/bytes/infer", body, {
      "Content-Type": "application/octet-stream",
      "Inference-Header-Content-Length": String(json.length),
    });
    expect(answer).toMatchObject({ status: 422, text: expect.stringContaining("not UTF-8") });
  });
});
