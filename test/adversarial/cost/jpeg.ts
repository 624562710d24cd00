/** What a made-up JPEG of one colour is like. */
export interface JpegOptions {
  width: number;
  height: number;
  components: 1 | 3 | 4;
  /** How many blocks of the first component lie beside and above each other in a unit; the others have one. */
  across: number;
  down: number;
  isProgressive: boolean;
  /** Scans after the first, of one coefficient of the first component each. Only where it is progressive. */
  scans: number;
  /** Units between restarts. 0 for none. */
  restartInterval: number;
  /** Bytes of a colour profile, in parts of 64 KiB. */
  profileBytes: number;
}

const PART_BYTES = 65_519;

/**
 * A JPEG of one colour with any structure that a decoder may have to read, in as few bytes as there can be: all codes
 * are single zeros.
 */
export function flatJpeg(options: JpegOptions): Buffer {
  const { width, height, components, across, down, isProgressive, scans } = options;
  const { restartInterval, profileBytes } = options;
  const ids = Array.from({ length: components }, (_, index) => index + 1);
  const units = Math.ceil(width / (8 * across)) * Math.ceil(height / (8 * down));
  const blocks = across * down + components - 1;
  const frame = [8, height >> 8, height & 0xff, width >> 8, width & 0xff, components];
  for (const id of ids) frame.push(id, id === 1 ? across * 16 + down : 0x11, 0);
  const bits = isProgressive ? blocks : 2 * blocks;
  const first = [components, ...ids.flatMap((id) => [id, 0]), 0, isProgressive ? 0 : 63, 0];
  const parts = [
    Buffer.of(0xff, 0xd8),
    ...profile(profileBytes),
    segment(0xdb, [0, ...Array.from({ length: 64 }, () => 1)]),
    segment(isProgressive ? 0xc2 : 0xc0, frame),
    segment(0xc4, table(0, 0)),
    segment(0xc4, table(0x10, isProgressive ? 0xe0 : 0)),
    ...(restartInterval > 0 ? [segment(0xdd, [restartInterval >> 8, restartInterval & 0xff])] : []),
    segment(0xda, first),
    entropy(units, bits, restartInterval),
  ];
  // Of one component: all its blocks, of which a code of fifteen bits ends a run of 16,384.
  const own = Math.ceil(width / 8) * Math.ceil(height / 8);
  const run = Buffer.alloc(Math.ceil((Math.ceil(own / 16_384) * 15) / 8));
  const further = isProgressive ? scans : 0;
  for (let scan = 0; scan < further; scan++)
    parts.push(segment(0xda, [1, 1, 0, 1 + (scan % 63), 1 + (scan % 63), 0]), run);
  return Buffer.concat([...parts, Buffer.of(0xff, 0xd9)]);
}

function segment(marker: number, data: readonly number[]): Buffer {
  const length = data.length + 2;
  return Buffer.from([0xff, marker, length >> 8, length & 0xff, ...data]);
}

/** A Huffman table with one code of one bit. */
function table(key: number, symbol: number): number[] {
  return [key, 1, ...Array.from({ length: 15 }, () => 0), symbol];
}

/** Zero bits for all units, and a marker after each interval. */
function entropy(units: number, bitsOfUnit: number, interval: number): Buffer {
  if (interval === 0) return Buffer.alloc(Math.ceil((units * bitsOfUnit) / 8));
  const parts: Buffer[] = [];
  for (let from = 0, marker = 0; from < units; from += interval, marker = (marker + 1) % 8) {
    const count = Math.min(interval, units - from);
    parts.push(Buffer.alloc(Math.ceil((count * bitsOfUnit) / 8)));
    if (from + interval < units) parts.push(Buffer.of(0xff, 0xd0 + marker));
  }
  return Buffer.concat(parts);
}

/** An ICC profile of zeros: each part has its number and how many there are (ICC.1, annex B.4). */
function profile(bytes: number): Buffer[] {
  const count = Math.min(255, Math.ceil(bytes / PART_BYTES));
  return Array.from({ length: count }, (_, index) => {
    const size = Math.min(PART_BYTES, bytes - index * PART_BYTES);
    const head = Buffer.from(`ICC_PROFILE\0${String.fromCharCode(index + 1, count)}`, "latin1");
    const length = head.length + size + 2;
    return Buffer.concat([
      Buffer.of(0xff, 0xe2, length >> 8, length & 0xff),
      head,
      Buffer.alloc(size),
    ]);
  });
}
