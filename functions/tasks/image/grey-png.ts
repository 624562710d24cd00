import { concatenate } from "../../concatenate.ts";
import { crc32 } from "./crc32.ts";
import type { Size } from "./fit.ts";

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const DEPTH = 8;
const GREY = 0;

/**
 * Writes a grey PNG of 8 bits. `rows` has each row's pixels behind a zero, which is PNG's sign for a row that is not
 * filtered.
 */
export async function greyPng(
  { width, height }: Size,
  rows: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([DEPTH, GREY], 8);
  const compressed = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  const data = new Uint8Array(await new Response(compressed).arrayBuffer());
  return concatenate([
    Uint8Array.from(SIGNATURE),
    chunk("IHDR", header),
    chunk("IDAT", data),
    chunk("IEND", new Uint8Array()),
  ]);
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
