import type { Parts } from "../define.ts";
import { hasText } from "../image/formats.ts";
import { refuseOthers } from "./formats.ts";

/** A WAV file with a read header. Its samples are not decoded yet. */
export interface Wav {
  /** Samples a second, of each channel. */
  rate: number;
  channels: number;
  /** How many samples each channel has. */
  length: number;
  /**
   * The mean of the channels, of the first `count` samples, in floats: whole numbers become -1 to 1. Throws a RangeError
   * for NaN, and for numbers that are no sound.
   */
  decode(count?: number): Parts<Float32Array>;
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;
const NAMES: Readonly<Record<number, string>> = {
  2: "ADPCM",
  6: "A-law",
  7: "µ-law",
  17: "IMA ADPCM",
  49: "GSM",
  85: "MP3",
};

const SLOWEST = 4000;
const FASTEST = 192_000;
const MOST_CHANNELS = 8;
const MOST_CHUNKS = 1000;
/** Programs that write to a pipe do not know the length: they say 0, or a number near the largest. */
const UNKNOWN_LENGTH = 0x7fff_0000;
/** What follows the tag in an extensible format's sub-format, where it stands for a tag. */
const TAG_TAIL = "\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71";
/** Floats are from -1 to 1. Some programs write them as whole numbers of 16 bits. More would overflow in filters. */
const LOUDEST = 2 ** 15;
/** Numbers that are read between two pauses: a few milliseconds. */
const NUMBERS_A_PART = 250_000;

interface Format {
  kind: number;
  channels: number;
  rate: number;
  bits: number;
}

/**
 * Reads the header of a WAV file (RIFF): PCM of 8 to 32 bits and floats of 32 or 64 bits. Throws a RangeError for
 * anything else, for a file that is cut off, and for one without sound unless it `mayBeEmpty`. The message continues the
 * name of the input.
 */
export function readWav(bytes: Uint8Array, { mayBeEmpty = false } = {}): Wav {
  if (!hasText(bytes, 0, "RIFF") || !hasText(bytes, 8, "WAVE")) refuseOthers(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: Format | undefined;
  let data: Chunk | undefined;
  for (const chunk of chunksFrom(view, 12)) {
    if (chunk.name === "fmt ") format ??= readFormat(view, chunk);
    if (chunk.name !== "data") continue;
    if (!format) throw new RangeError("is a WAV file whose data come before their format");
    if (data) throw new RangeError("is a WAV file with two chunks of data");
    data = chunk;
    if (chunk.length > 0 && chunk.length < UNKNOWN_LENGTH) continue;
    const { start } = chunk;
    data = { ...chunk, length: areChunks(view, start) ? 0 : view.byteLength - start };
    break;
  }
  if (!format || !data)
    throw new RangeError(`is a WAV file without ${format ? "data" : "a format"}`);
  const wav = opened(view, format, data);
  if (wav.length === 0 && !mayBeEmpty) throw new RangeError("has no sound");
  return wav;
}

interface Chunk {
  name: string;
  start: number;
  length: number;
}

/** The chunks from a place on. The last one may say more than there is. Throws a RangeError for too many. */
function* chunksFrom(view: DataView, from: number): Generator<Chunk> {
  let count = 0;
  for (let at = from; at + 8 <= view.byteLength;) {
    if (++count > MOST_CHUNKS)
      throw new RangeError(`is a WAV file of more than ${MOST_CHUNKS} chunks`);
    const name = String.fromCharCode(...[0, 1, 2, 3].map((place) => view.getUint8(at + place)));
    const length = view.getUint32(at + 4, true);
    yield { name, start: at + 8, length };
    // Chunks begin at even bytes.
    at += 8 + length + (length % 2);
  }
}

/** Whether all bytes from a place on are chunks, and not sound. */
function areChunks(view: DataView, from: number): boolean {
  let end = from;
  for (const { name, start, length } of chunksFrom(view, from)) {
    if (!/^[ -~]{4}$/.test(name)) return false;
    end = start + length;
  }
  return end === view.byteLength || end + (end % 2) === view.byteLength;
}

function readFormat(view: DataView, { start, length }: Chunk): Format {
  const isThere = (bytes: number) => length >= bytes && start + bytes <= view.byteLength;
  const tag = isThere(16) ? view.getUint16(start, true) : undefined;
  if (tag === undefined || (tag === EXTENSIBLE && !isThere(40)))
    throw new RangeError("is a WAV file that is cut off in its format");
  const tail = new Uint8Array(view.buffer, view.byteOffset + start).subarray(26);
  if (tag === EXTENSIBLE && !hasText(tail, 0, TAG_TAIL))
    throw new RangeError("is a WAV file whose sub-format is not known; send it as PCM");
  const format = {
    // The first bytes of the sub-format are the tag that it stands for.
    kind: tag === EXTENSIBLE ? view.getUint16(start + 24, true) : tag,
    channels: view.getUint16(start + 2, true),
    rate: view.getUint32(start + 4, true),
    bits: view.getUint16(start + 14, true),
  };
  check(format, view.getUint16(start + 12, true));
  return format;
}

function check({ kind, channels, rate, bits }: Format, blockBytes: number): void {
  if (kind !== PCM && kind !== FLOAT)
    throw new RangeError(
      `is a WAV file of ${NAMES[kind] ?? `the format ${kind}`}; send it as PCM of 8, 16, 24 or 32 bits, or as floats`,
    );
  const known = kind === PCM ? [8, 16, 24, 32] : [32, 64];
  if (!known.includes(bits))
    throw new RangeError(
      `is a WAV file of ${bits} bits a sample; ${kind === PCM ? "PCM has 8, 16, 24 or 32" : "floats have 32 or 64"}`,
    );
  if (channels < 1 || channels > MOST_CHANNELS)
    throw new RangeError(`has ${channels} channels; 1 to ${MOST_CHANNELS} are taken`);
  if (rate < SLOWEST || rate > FASTEST)
    throw new RangeError(`has ${rate} samples a second; ${SLOWEST} to ${FASTEST} are taken`);
  if (blockBytes !== (channels * bits) / 8)
    throw new RangeError(
      `is a WAV file whose header says ${blockBytes} bytes for ${channels} samples of ${bits} bits`,
    );
}

function opened(view: DataView, format: Format, data: Chunk): Wav {
  const { channels, rate, bits } = format;
  const there = view.byteLength - data.start;
  if (data.length > there)
    throw new RangeError(
      `is cut off: its header says ${data.length} bytes of sound, and ${there} came`,
    );
  const length = Math.floor(data.length / ((channels * bits) / 8));
  const samples = new DataView(view.buffer, view.byteOffset + data.start, data.length);
  return {
    rate,
    channels,
    length,
    decode: (count = length) => decode(samples, format, Math.min(count, length)),
  };
}

function* decode(view: DataView, format: Format, count: number): Parts<Float32Array> {
  const samples = new Float32Array(count);
  const step = Math.ceil(NUMBERS_A_PART / format.channels);
  for (let from = 0; from < count; from += step) {
    if (from > 0) yield;
    decodePart(view, format, samples, { from, to: Math.min(count, from + step) });
  }
  return samples;
}

function decodePart(
  view: DataView,
  { kind, bits, channels }: Format,
  samples: Float32Array,
  { from, to }: { from: number; to: number },
): void {
  const sampleAt = READERS[`${kind} ${bits}`] as Reader;
  const bytes = bits / 8;
  for (let index = from, at = from * channels * bytes; index < to; index++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++, at += bytes) sum += sampleAt(view, at);
    const sample = sum / channels;
    // Not so for NaN.
    if (!(Math.abs(sample) <= LOUDEST))
      throw new RangeError(
        `has a sample that is ${Number.isFinite(sample) ? `${sample}; ${-LOUDEST} to ${LOUDEST} are taken` : "no finite number"}, at ${index}`,
      );
    samples[index] = sample;
  }
}

type Reader = (view: DataView, at: number) => number;

const READERS: Readonly<Record<string, Reader>> = {
  [`${PCM} 8`]: (view, at) => (view.getUint8(at) - 128) / 128,
  [`${PCM} 16`]: (view, at) => view.getInt16(at, true) / 2 ** 15,
  [`${PCM} 24`]: (view, at) => (view.getUint8(at) + view.getInt16(at + 1, true) * 256) / 2 ** 23,
  [`${PCM} 32`]: (view, at) => view.getInt32(at, true) / 2 ** 31,
  [`${FLOAT} 32`]: (view, at) => view.getFloat32(at, true),
  [`${FLOAT} 64`]: (view, at) => view.getFloat64(at, true),
};
