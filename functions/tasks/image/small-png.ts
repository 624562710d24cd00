import { unzlibSync } from "fflate";

/** The sizes in a PNG's header, of an image with eight bits a sample, no palette, and not interlaced. */
export interface PlainHeader {
  width: number;
  height: number;
  channels: number;
}

/** Deflate makes at most 258 bytes from two bits. */
const MOST_EXPANSION = 1032;

/** What each filter type adds, from the bytes to the left, above, and above to the left (PNG, section 9). */
const PREDICTIONS: readonly ((left: number, up: number, corner: number) => number)[] = [
  () => 0,
  (left) => left,
  (_left, up) => up,
  (left, up) => (left + up) >> 1,
  paeth,
];

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

/**
 * The samples of a plain PNG, inflated straight into memory of their size. A decoder that does not know the
 * size takes 160 KiB first, which is most of the cost of an image of a few pixels. Data beyond the size is
 * inflated too, and dropped: use it only for little `compressed` data. Throws when it is damaged.
 */
export function decodeSamples(
  { width, height, channels }: PlainHeader,
  compressed: Uint8Array,
): Uint8Array {
  const rowBytes = width * channels;
  const size = (rowBytes + 1) * height;
  // Checked before taking the memory that a header of a few bytes asks for.
  if (size > compressed.length * MOST_EXPANSION) throw tooFew();
  const filtered = unzlibSync(compressed, { out: new Uint8Array(size) });
  if (filtered.length < size) throw tooFew();
  const data = new Uint8Array(rowBytes * height);
  for (let row = 0; row < height; row++) {
    const from = row * (rowBytes + 1);
    const predict = PREDICTIONS[filtered[from] ?? 0];
    if (!predict) throw new Error(`it has a row with the unknown filter ${filtered[from]}`);
    const to = row * rowBytes;
    for (let byte = 0; byte < rowBytes; byte++) {
      const hasLeft = byte >= channels;
      const left = hasLeft ? (data[to + byte - channels] ?? 0) : 0;
      const up = row > 0 ? (data[to + byte - rowBytes] ?? 0) : 0;
      const corner = hasLeft && row > 0 ? (data[to + byte - rowBytes - channels] ?? 0) : 0;
      data[to + byte] = (filtered[from + 1 + byte] ?? 0) + predict(left, up, corner);
    }
  }
  return data;
}

/** Throws when a chunk's checksum is wrong. The chunk goes from its length to its checksum. */
export function checkCrc(chunk: Uint8Array): void {
  const end = chunk.length - 4;
  let crc = -1;
  for (let at = 4; at < end; at++)
    crc = (CRC_TABLE[(crc ^ (chunk[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  const said = new DataView(chunk.buffer, chunk.byteOffset + end, 4).getInt32(0);
  if (said !== ~crc) throw new Error("it has a chunk with a wrong checksum");
}

function tooFew(): Error {
  return new Error("it has fewer pixels than its header says");
}

function paeth(left: number, up: number, corner: number): number {
  const [toLeft, toUp] = [Math.abs(up - corner), Math.abs(left - corner)];
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
