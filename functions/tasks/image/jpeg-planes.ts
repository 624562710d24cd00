import { concatenate } from "../../concatenate.ts";
import {
  ADOBE,
  DRI,
  isFrame,
  MARKERS,
  type Component,
  type JpegFile,
  type Segment,
} from "./jpeg-file.ts";
import type { Pixels } from "./pixels.ts";
import { readHuffmanTables, splitScan, type HuffmanTable } from "./split-scan.ts";

type Plane = Uint8Array<ArrayBuffer>;

/** Decodes a file of three components. */
type DecodeFile = (file: Uint8Array) => Pixels;

/**
 * Whether the file needs its planes decoded one by one. The decoder refuses four components. For planes of half the
 * height, its pixels differ from those of newer releases of libjpeg, such as Pillow's.
 */
export function needsPlanes({ components }: JpegFile): boolean {
  return (
    components.length === 4 || (components.length === 3 && halfHeight(components).some(Boolean))
  );
}

/**
 * The planes of a file with three or four components, at full size and without colour conversion. The decoder makes
 * three planes at a time, from a copy of the file that calls them red, green and blue; or one plane, as a grey picture.
 */
export function decodePlanes(file: JpegFile, decode: DecodeFile): Plane[] {
  const { components } = file;
  const planes: Plane[] = planesOf(decode(fileOf(file, [0, 1, 2])));
  // Keeps the first component, because the file must keep its size. The second may have fewer samples.
  if (components.length === 4) planes.push(...planesOf(decode(fileOf(file, [0, 2, 3]))).slice(2));
  const half = halfHeight(components);
  return planes.map((plane, index) =>
    half[index] ? smoothDown(decode(fileOf(file, [index])), file) : plane,
  );
}

function halfHeight(components: JpegFile["components"]): boolean[] {
  const { across, down } = mostOf(components);
  return components.map((one) => one.across === across && one.down * 2 === down);
}

function mostOf(components: JpegFile["components"]): Pick<Component, "across" | "down"> {
  return {
    across: Math.max(...components.map((one) => one.across)),
    down: Math.max(...components.map((one) => one.down)),
  };
}

function planesOf({ width, height, channels, data }: Pixels): [Plane, Plane, Plane] {
  const pixels = width * height;
  const planes: [Plane, Plane, Plane] = [
    new Uint8Array(pixels),
    new Uint8Array(pixels),
    new Uint8Array(pixels),
  ];
  // `Uint8Array.from` with a function would take fifty times as long, here and below.
  const [first, second, third] = planes;
  for (let pixel = 0, at = 0; pixel < pixels; pixel++, at += channels) {
    first[pixel] = data[at]!;
    second[pixel] = data[at + 1]!;
    third[pixel] = data[at + 2]!;
  }
  return planes;
}

/**
 * Doubles the height. Each new row mixes its row with a third of the nearer neighbour, as `h1v2_fancy_upsample` of
 * libjpeg-turbo 3 does.
 */
function smoothDown(half: Pixels, { width, height }: Pick<Pixels, "width" | "height">): Plane {
  const result = new Uint8Array(width * height);
  const { data, channels } = half;
  const last = Math.ceil(height / 2) - 1;
  const stride = half.width * channels;
  for (let y = 0, to = 0; y < height; y++) {
    const row = y >> 1;
    const isUpper = y % 2 === 0;
    const other = Math.min(last, Math.max(0, isUpper ? row - 1 : row + 1));
    const rounding = isUpper ? 1 : 2;
    let [near, far] = [row * stride, other * stride];
    for (let x = 0; x < width; x++, near += channels, far += channels)
      result[to++] = (data[near]! * 3 + data[far]! + rounding) >> 2;
  }
  return result;
}

/** A copy of the file with one of its components, or with three that an Adobe marker calls red, green and blue. */
function fileOf(file: JpegFile, kept: readonly number[]): Uint8Array {
  const components = kept.flatMap((index) => file.components[index] ?? []);
  const all = mostOf(file.components);
  const isSingle = kept.length === 1;
  if (!isSingle && String(Object.values(mostOf(components))) !== String(Object.values(all)))
    throw new Error("the first of its four components has fewer samples than others");
  const tables = new Map<number, HuffmanTable>();
  let restartInterval = 0;
  const parts: Uint8Array[] = [
    Uint8Array.of(0xff, MARKERS.SOI),
    written(ADOBE, [...new TextEncoder().encode("Adobe"), 0, 100, 0, 0, 0, 0, 0]),
  ];
  for (const segment of file.segments) {
    const { marker, data } = segment;
    if (marker === MARKERS.DHT) readHuffmanTables(data, tables);
    if (marker === DRI) restartInterval = ((data[0] ?? 0) << 8) | (data[1] ?? 0);
    if (marker === MARKERS.DHT || marker === MARKERS.DQT || marker === DRI)
      parts.push(written(marker, data));
    else if (isFrame(marker)) {
      const [bits = 8] = data;
      const height = isSingle ? Math.ceil(file.height / 2) : file.height;
      const descriptions = kept.flatMap((index) => [
        ...data.subarray(6 + 3 * index, 9 + 3 * index),
      ]);
      const size = [height >> 8, height & 0xff, file.width >> 8, file.width & 0xff];
      parts.push(written(marker, [bits, ...size, kept.length, ...descriptions]));
    } else if (marker === MARKERS.SOS)
      parts.push(...scanOf(file, segment, components, tables, restartInterval));
  }
  return concatenate([...parts, Uint8Array.of(0xff, MARKERS.EOI)]);
}

/** The scan with only the kept components. Empty where it has none of them. */
function scanOf(
  file: JpegFile,
  { data, scan = new Uint8Array() }: Segment,
  keptComponents: readonly Component[],
  tables: ReadonlyMap<number, HuffmanTable>,
  restartInterval: number,
): Uint8Array[] {
  const count = data[0] ?? 0;
  const [start = 0, , approximation = 0] = data.subarray(1 + 2 * count);
  const isFirst = !file.isProgressive || approximation >> 4 === 0;
  const found = Array.from({ length: count }, (_, index) => {
    const [id = 0, selected = 0] = data.subarray(1 + 2 * index, 3 + 2 * index);
    const component = file.components.find((one) => one.id === id);
    if (!component) throw new Error("its data is damaged");
    return {
      id,
      selected,
      blocks: component.across * component.down,
      isKept: keptComponents.includes(component),
      dc: tables.get(selected >> 4),
      ac: file.isProgressive ? undefined : tables.get(0x10 | (selected & 15)),
    };
  });
  const kept = found.filter(({ isKept }) => isKept);
  if (kept.length === 0) return [];
  const header = [
    kept.length,
    ...kept.flatMap(({ id, selected }) => [id, selected]),
    ...data.subarray(1 + 2 * count),
  ];
  if (kept.length === found.length) return [written(MARKERS.SOS, header), scan];
  const { across, down } = mostOf(file.components);
  // A scan of one component has its blocks in rows, and no blocks beyond its edges.
  const isInOrder = kept.length > 1 || kept.every(({ blocks }) => blocks === 1 && across === 1);
  if (!isInOrder || start > 0)
    throw new Error("its components are in an order that is not supported");
  const units = Math.ceil(file.width / (8 * across)) * Math.ceil(file.height / (8 * down));
  const split = splitScan(scan, {
    components: found,
    units,
    restartInterval,
    isRefinement: !isFirst,
  });
  return [written(MARKERS.SOS, header), split];
}

function written(marker: number, data: ArrayLike<number>): Uint8Array {
  const length = data.length + 2;
  return Uint8Array.from([0xff, marker, length >> 8, length & 0xff, ...Array.from(data)]);
}
