import { MARKERS } from "./jpeg-file.ts";

/** The codes of a Huffman table. For each value of the next 16 bits: the code's length (times 256) plus its symbol. */
export type HuffmanTable = Uint16Array;

/** Reads a DHT segment into `tables`, by class (times 16) and number (ITU-T T.81, B.2.4.2). */
export function readHuffmanTables(data: Uint8Array, tables: Map<number, HuffmanTable>): void {
  for (let at = 0; at + 17 <= data.length;) {
    const key = data[at] ?? 0;
    const table = new Uint16Array(65_536);
    let symbol = at + 17;
    for (let length = 1, next = 0; length <= 16; length++)
      for (let count = data[at + length] ?? 0; count > 0; count--) {
        const size = 1 << (16 - length);
        table.fill((length << 8) | (data[symbol++] ?? 0), next, next + size);
        next += size;
      }
    tables.set(key, table);
    at = symbol;
  }
}

/** A component of a scan. */
export interface ScannedComponent {
  /** How many blocks it has in each unit of the scan. */
  blocks: number;
  isKept: boolean;
  /** Undefined where the scan has no codes of this kind. */
  dc: HuffmanTable | undefined;
  ac: HuffmanTable | undefined;
}

export interface Scan {
  components: readonly ScannedComponent[];
  /** Units in the whole scan, and between restarts (0 without restarts). */
  units: number;
  restartInterval: number;
  /** Whether the scan refines the coefficients of an earlier one, with a bit for each block. */
  isRefinement: boolean;
}

/**
 * Copies a scan of several components without the blocks of some. Each component's levels depend only on its own
 * blocks, so the bits of the others stay as they are. Throws an Error for bits that are no code.
 */
export function splitScan(data: Uint8Array, scan: Scan): Uint8Array {
  const bits = new BitCopier(data);
  for (let unit = 0; unit < scan.units; unit++) {
    if (scan.restartInterval > 0 && unit > 0 && unit % scan.restartInterval === 0) bits.restart();
    for (const { blocks, isKept, dc, ac } of scan.components)
      for (let block = 0; block < blocks; block++) {
        bits.copies = isKept;
        if (scan.isRefinement) bits.pass(1);
        else bits.pass(bits.code(dc));
        if (!ac) continue;
        for (let coefficient = 1; coefficient < 64; coefficient++) {
          const symbol = bits.code(ac);
          const [zeros, size] = [symbol >> 4, symbol & 15];
          if (size === 0 && zeros < 15) break;
          coefficient += zeros;
          bits.pass(size);
        }
      }
  }
  return bits.end();
}

/** Reads bits and copies the wanted ones. A zero follows each byte of 255 (ITU-T T.81, F.1.2.3). */
class BitCopier {
  copies = true;
  readonly #data: Uint8Array;
  #at = 0;
  #next = 0;
  #available = 0;
  readonly #written: Uint8Array;
  #length = 0;
  #last = 0;
  #pending = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
    this.#written = new Uint8Array(data.length * 2 + 4);
  }

  /** Reads a code and gives its symbol. */
  code(table: HuffmanTable | undefined): number {
    this.#fill();
    const entry = table?.[(this.#next >>> (this.#available - 16)) & 0xffff] ?? 0;
    if (entry === 0) throw new Error("its data is damaged");
    this.pass(entry >> 8);
    return entry & 0xff;
  }

  /** Reads up to 16 bits. */
  pass(count: number): void {
    if (count === 0) return;
    this.#fill();
    this.#available -= count;
    if (this.copies) this.#write((this.#next >>> this.#available) & ((1 << count) - 1), count);
  }

  /** Reads the padding and a restart marker. */
  restart(): void {
    this.#pad();
    this.#available = 0;
    this.#at = this.#data.indexOf(0xff, this.#at);
    while (this.#at >= 0 && !isRestart(this.#data[this.#at + 1]))
      this.#at = this.#data.indexOf(0xff, this.#at + 1);
    if (this.#at < 0) throw new Error("its data is damaged");
    this.#written.set([0xff, this.#data[this.#at + 1] ?? 0], this.#length);
    this.#length += 2;
    this.#at += 2;
  }

  end(): Uint8Array {
    this.#pad();
    return this.#written.subarray(0, this.#length);
  }

  /** Fills up to at least 16 bits. Adds zeros after the end of the data, or before a restart. */
  #fill(): void {
    while (this.#available < 16) {
      const byte = this.#data[this.#at] ?? 0;
      const ends =
        this.#at >= this.#data.length || (byte === 0xff && this.#data[this.#at + 1] !== 0);
      if (!ends) this.#at += byte === 0xff ? 2 : 1;
      this.#next = ((this.#next << 8) | (ends ? 0 : byte)) & 0xffffff;
      this.#available += 8;
    }
  }

  #write(value: number, count: number): void {
    for (let bit = count - 1; bit >= 0; bit--) {
      this.#last = (this.#last << 1) | ((value >> bit) & 1);
      if (++this.#pending === 8) this.#flush();
    }
  }

  #flush(): void {
    this.#written[this.#length++] = this.#last;
    if (this.#last === 0xff) this.#written[this.#length++] = 0;
    this.#last = this.#pending = 0;
  }

  #pad(): void {
    while (this.#pending > 0) this.#write(1, 1);
  }
}

function isRestart(marker: number | undefined): boolean {
  return marker !== undefined && marker >= MARKERS.RST0 && marker <= 0xd7;
}
