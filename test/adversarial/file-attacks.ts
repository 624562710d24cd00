import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { encodePng, jpegOfDigit, pngChunk } from "../harness/images.ts";
import type { Random } from "./random.ts";
import { withHeader, type Attack } from "./request.ts";
import { digitPng, validCsv, validJson } from "./valid-requests.ts";

const { jpeg, colourPng } = jpegOfDigit({ input: digitPng.toString("base64"), label: "" });
const SIDES = [0, 1, 8, 1000, 4000, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const NOTHING_BOMB = gzipSync(Buffer.alloc(50_000_000));
const JSON_BOMB = gzipSync(Buffer.from(`{"inputs":[${"0,".repeat(10_000_000)}0]}`));

/** A file that is nearly an image: cut, flipped, or with a header that promises too much. */
function image(random: Random): Buffer {
  const whole = random.pick([digitPng, digitPng, colourPng, jpeg]);
  const at = random.below(whole.length);
  return random.pick<() => Buffer>([
    () => whole.subarray(0, at),
    () => flipped(random, whole, 1 + random.below(8)),
    () => flipped(random, whole.subarray(0, Math.min(64, whole.length)), 2),
    () => Buffer.concat([whole.subarray(0, at), random.bytes(16), whole.subarray(at)]),
    () => Buffer.concat([whole, random.bytes(100)]),
    () =>
      encodePng({
        width: random.pick(SIDES),
        height: random.pick(SIDES),
        inflatesTo: random.pick([0, 9, 100_000]),
      }),
    () => pngOf(random),
    () => jpegHeader(random),
    () =>
      Buffer.concat([
        whole.subarray(0, 8),
        pngChunk("IDAT", random.bytes(20)),
        pngChunk("IEND", Buffer.alloc(0)),
      ]),
    () => random.bytes(random.below(300)),
    () =>
      Buffer.from(
        random.pick(["GIF89a", "RIFF\0\0\0\0WEBPVP8 ", "%PDF-1.7", "<svg/>", "BM", "II*\0"]),
      ),
  ])();
}

function flipped(random: Random, whole: Buffer, times: number): Buffer {
  const bytes = Buffer.from(whole);
  for (let flip = 0; flip < times; flip++) {
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  }
  return bytes;
}

/** Sound checksums around a header that nobody writes. */
function pngOf(random: Random): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(random.pick([0, 1, 8, 9]), 0);
  header.writeUInt32BE(random.pick([0, 1, 8, 9]), 4);
  for (const [at, choices] of [
    [1, 2, 4, 8, 16, 3, 0],
    [0, 2, 3, 4, 6, 1, 255],
    [0, 1],
    [0, 1],
    [0, 1, 7],
  ].entries())
    header[8 + at] = random.pick(choices);
  const chunks = [
    pngChunk("IHDR", header),
    pngChunk("PLTE", random.bytes(random.pick([0, 1, 3, 768, 771]))),
    pngChunk("tRNS", random.bytes(random.pick([0, 2, 6, 300]))),
    pngChunk("IDAT", random.pick([deflateSync, deflateRawSync])(random.bytes(random.below(600)))),
    pngChunk("iCCP", Buffer.concat([Buffer.from("a\0\0"), deflateSync(Buffer.alloc(1_000_000))])),
  ].filter((_, index) => index === 0 || random.chance(0.6));
  return Buffer.concat([digitPng.subarray(0, 8), ...chunks, pngChunk("IEND", Buffer.alloc(0))]);
}

/** A real JPEG that says it is of another size, precision or sampling. */
function jpegHeader(random: Random): Buffer {
  const bytes = Buffer.from(jpeg);
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  bytes[frame + 4] = random.pick([8, 12, 0]);
  bytes.writeUInt16BE(random.pick(SIDES) & 0xffff, frame + 5);
  bytes.writeUInt16BE(random.pick(SIDES) & 0xffff, frame + 7);
  bytes[frame + 9] = random.pick([1, 3, 3, 4, 255]);
  bytes[frame + 11] = random.pick([0x11, 0x22, 0x00, 0xff, 0x44]);
  return bytes;
}

const DIGITS = "/v1/models/digits/predict";

/** An image as a raw body, in base64, or in a form. */
export function imageAttack(random: Random): Attack {
  const bytes = image(random);
  const type = random.pick(["image/png", "image/jpeg", "application/octet-stream"]);
  const query = random.pick([
    "",
    "",
    "?top_k=1",
    "?top_k=0",
    "?top_k=1e9",
    "?top_k[]=1",
    "?a=%00&__proto__=1",
  ]);
  const post = { kind: "image", method: "POST" };
  return random.pick<() => Attack>([
    () => ({ ...post, path: DIGITS + query, headers: [["Content-Type", type]], body: bytes }),
    () => ({
      ...post,
      path: DIGITS,
      headers: [["Content-Type", "application/json"]],
      body: Buffer.from(JSON.stringify({ inputs: [bytes.toString("base64")] })),
    }),
    () => formAttack(random, bytes),
  ])();
}

/** A multipart form whose boundary, part headers or end are not as they should be. */
export function formAttack(random: Random, file: Buffer = digitPng): Attack {
  const boundary = random.mostly("b", ["----x", "a b", '"q"', "", "é", "x".repeat(200), "b--"]);
  const line = random.mostly("\r\n", ["\n", ""]);
  const disposition = [
    random.mostly("form-data", ["attachment", ""]),
    random.mostly('name="file"', ["name=file", 'name=""', 'name="__proto__"', "", 'name="a\r\nb"']),
    random.mostly('filename="a.png"', [
      "",
      'filename="',
      "filename*=UTF-8''%ff",
      'filename="../x"',
    ]),
  ].join("; ");
  const type = random.mostly(`Content-Type: image/png${line}`, [
    "",
    `Content-Type: ${"x".repeat(3000)}${line}`,
    "Content-Transfer-Encoding: base64\r\n",
  ]);
  const head = `--${boundary}${line}Content-Disposition: ${disposition}${line}${type}${line}`;
  const part = Buffer.concat([Buffer.from(head), file, Buffer.from(line)]);
  const parts = Array.from({ length: random.mostly(1, [0, 2, 20]) }, () => part);
  const parameters = random.pick(["{}", '{"top_k":1}', "{", "[]", "1e999", "[".repeat(100)]);
  const field = `--${boundary}\r\nContent-Disposition: form-data; name="parameters"\r\n\r\n${parameters}\r\n`;
  const end = random.mostly(`--${boundary}--\r\n`, [`--${boundary}`, "", `--${boundary}--------`]);
  const fields = Buffer.from((random.chance(0.3) ? field : "") + end);
  const body = Buffer.concat([...parts, fields]);
  const declared = random.mostly(`; boundary=${boundary}`, [
    `; boundary="${boundary}"`,
    "",
    "; boundary=other",
  ]);
  return {
    kind: "form",
    method: "POST",
    path: DIGITS,
    headers: [["Content-Type", `multipart/form-data${declared}`]],
    body: random.chance(0.1) ? body.subarray(0, random.below(body.length + 1)) : body,
  };
}

const compressed = { gzip: gzipSync, deflate: deflateSync } as const;

/** A body in a coding, in the wrong one, cut off, or with a thousand times as much in it. */
export function codingAttack(random: Random): Attack {
  const valid = random.pick([...validJson, validCsv]);
  const body = valid.body ?? Buffer.alloc(0);
  const coding = random.pick(["gzip", "deflate"] as const);
  const packed = compressed[coding](body);
  const at = random.below(packed.length + 1);
  const bytes = random.pick<() => Buffer>([
    () => packed,
    () => packed.subarray(0, at),
    () => flipped(random, packed, 2),
    () => Buffer.concat([packed, random.pick([packed, random.bytes(10), Buffer.alloc(3)])]),
    () => body,
    () => deflateRawSync(body),
    () => (random.chance(0.3) ? random.pick([NOTHING_BOMB, JSON_BOMB]) : packed),
    () => compressed[coding](packed),
    () => Buffer.alloc(0),
  ])();
  const named = random.pick([
    coding,
    coding,
    coding,
    "GZIP",
    " x-gzip ",
    "br",
    "gzip, gzip",
    "identity",
    "*",
    "",
  ]);
  return withHeader({ ...valid, kind: "coding", body: bytes }, "Content-Encoding", named);
}

const CELLS = [
  "",
  '"',
  '""',
  '"a,b"',
  "NaN",
  "1e999",
  "x\r",
  "\0",
  "é",
  "petal_width",
  '"a\nb"',
  "-1",
];
const MEDIA_TYPES = [
  "text/csv; header=present",
  "text/csv; header=x",
  "text/csv;;header",
  "TEXT/CSV",
];

/** CSV with quotes, columns and line ends that do not fit. */
export function csvAttack(random: Random): Attack {
  const separator = random.mostly(",", [";", "\t"]);
  const row = () =>
    Array.from({ length: random.mostly(4, [0, 1, 3, 5]) }, () => random.mostly("0.5", CELLS))
      .join(separator)
      .replace(/^0\.5/, "5.1");
  const rows = Array.from({ length: random.mostly(1, [2, 3, 1001]) }, row);
  const text = rows.join(random.mostly("\n", ["\r\n", "\r"]));
  const model = random.mostly("iris", ["sentiment", "digits", "diabetes"]);
  const named = withHeader(validCsv, "X-Amzn-SageMaker-Target-Model", model);
  const type = random.mostly("text/csv; header=absent", MEDIA_TYPES);
  return { ...withHeader(named, "Content-Type", type), kind: "csv", body: Buffer.from(text) };
}
