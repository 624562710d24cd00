import { concatenate } from "../../concatenate.ts";
import { crc32 } from "./crc32.ts";
import type { Size } from "./fit.ts";

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const DEPTH = 8;
const GREY = 0;
const NOT_FILTERED = 0;

/** So many pixels are compressed together: other requests have the thread in between. */
const PIXELS_AT_ONCE = 1_000_000;

const SMALL_BYTES = 512;
/** The modulus of zlib's checksum. */
const ADLER = 65_521;

/** The pixels of the rows from `from` up to `to`, without that, each row behind a zero: PNG's sign that it is not filtered. */
export type RowsOf = (from: number, to: number) => Uint8Array<ArrayBuffer>;

/** Whether a picture is not compressed: to begin with it takes half a millisecond. */
export function isSmall({ width, height }: Size): boolean {
  return (width + 1) * height <= SMALL_BYTES;
}

/** Writes a grey PNG of 8 bits. */
export async function greyPng({ width, height }: Size, rowsOf: RowsOf): Promise<Uint8Array> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([DEPTH, GREY], 8);
  return concatenate([
    Uint8Array.from(SIGNATURE),
    chunk("IHDR", header),
    chunk("IDAT", isSmall({ width, height }) ? stored(rowsOf(0, height)) : await compressed()),
    chunk("IEND", new Uint8Array()),
  ]);

  async function compressed(): Promise<Uint8Array> {
    const { readable, writable } = new CompressionStream("deflate");
    const [bytes] = await Promise.all([new Response(readable).arrayBuffer(), write(writable)]);
    return new Uint8Array(bytes);
  }

  async function write(stream: WritableStream<BufferSource>): Promise<void> {
    const writer = stream.getWriter();
    const step = Math.max(1, Math.floor(PIXELS_AT_ONCE / width));
    for (let row = 0; row < height; row += step)
      await writer.write(rowsOf(row, Math.min(row + step, height)));
    await writer.close();
  }
}

/** A zlib stream (RFC 1950) with one block that is not compressed. */
function stored(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % ADLER;
    b = (b + a) % ADLER;
  }
  const whole = new Uint8Array(length + 11);
  const view = new DataView(whole.buffer);
  whole.set([0x78, 0x01, 1]);
  view.setUint16(3, length, true);
  view.setUint16(5, ~length, true);
  whole.set(bytes, 7);
  view.setUint16(length + 7, b);
  view.setUint16(length + 9, a);
  return whole;
}

/** Where the compressed pixels begin in a PNG that {@link greyPng} wrote, and their length four bytes before their type. */
const [LENGTH_AT, PIXELS_AT] = [33, 41];

/** A picture of black and white in pieces: of each, how many pixels are black and white by turns, black first, along the rows. */
export interface Runs extends Size {
  /** Throws where the file is damaged. */
  pieces: AsyncIterable<readonly number[]>;
}

/** Reads a PNG of black and white that {@link greyPng} wrote. Undefined for any other file. */
export function runsOfPng(file: Uint8Array<ArrayBuffer>): Runs | undefined {
  const isPng = file.length > PIXELS_AT && SIGNATURE.every((byte, at) => file[at] === byte);
  if (!isPng || file[24] !== DEPTH || file[25] !== GREY) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const pixels = file.subarray(PIXELS_AT, PIXELS_AT + view.getUint32(LENGTH_AT));
  return { width, height, pieces: runsOf(pixels, width) };
}

async function* runsOf(pixels: Uint8Array<ArrayBuffer>, width: number) {
  const inflated = new Blob([pixels]).stream().pipeThrough(new DecompressionStream("deflate"));
  let column = 0;
  for await (const part of inflated) {
    const counts = [0];
    let level = 0;
    for (const byte of part) {
      if (column === 0) {
        if (byte !== NOT_FILTERED) throw new RangeError("has a filtered row");
      } else {
        if (byte !== level) counts.push(0);
        level = byte;
        counts[counts.length - 1]!++;
      }
      column = column === width ? 0 : column + 1;
    }
    yield counts;
  }
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const whole = new Uint8Array(data.length + 12);
  const view = new DataView(whole.buffer);
  view.setUint32(0, data.length);
  whole.set(new TextEncoder().encode(type), 4);
  whole.set(data, 8);
  view.setUint32(data.length + 8, crc32(whole.subarray(4, data.length + 8)));
  return whole;
}
