import { refuseOthers, hasText } from "./formats.ts";

/** A WAV file with a read header. Its samples are not decoded yet. */
export interface Wav {
  /** Samples a second, of each channel. */
  rate: number;
  channels: number;
  /** How many samples each channel has. */
  length: number;
  /** The mean of the channels, in floats: whole numbers become -1 to 1. Throws a RangeError for NaN and infinities. */
  decode(): Float32Array;
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
/** Programs that write to a pipe do not know the length: they say 0, or a number near the largest. */
const UNKNOWN_LENGTH = 0x7fff_0000;

interface Format {
  kind: number;
  channels: number;
  rate: number;
  bits: number;
}

/**
 * Reads the header of a WAV file (RIFF): PCM of 8 to 32 bits and floats of 32 or 64 bits. Throws a RangeError for
 * anything else, and for a file that is cut off. The message continues the name of the input.
 */
export function readWav(bytes: Uint8Array): Wav {
  if (!hasText(bytes, 0, "RIFF") || !hasText(bytes, 8, "WAVE")) refuseOthers(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.byteLength;) {
    const length = view.getUint32(at + 4, true);
    const start = at + 8;
    if (hasText(bytes, at, "fmt ")) format = readFormat(view, start, length);
    else if (hasText(bytes, at, "data")) {
      if (!format) throw new RangeError("is a WAV file whose data come before their format");
      return opened(view, format, { start, length });
    }
    // Chunks begin at even bytes.
    at = start + length + (length % 2);
  }
  throw new RangeError(`is a WAV file without ${format ? "data" : "a format"}`);
}

function readFormat(view: DataView, start: number, length: number): Format {
  if (length < 16 || start + length > view.byteLength)
    throw new RangeError("is a WAV file that is cut off in its format");
  const tag = view.getUint16(start, true);
  const isExtensible = tag === EXTENSIBLE && length >= 40;
  const format = {
    // The first bytes of the sub-format are the tag that it stands for.
    kind: isExtensible ? view.getUint16(start + 24, true) : tag,
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

function opened(view: DataView, format: Format, data: { start: number; length: number }): Wav {
  const { channels, rate, bits } = format;
  const there = view.byteLength - data.start;
  const isStream = data.length >= UNKNOWN_LENGTH || (data.length === 0 && there > 0);
  if (!isStream && data.length > there)
    throw new RangeError(
      `is cut off: its header says ${data.length} bytes of sound, and ${there} came`,
    );
  const length = Math.floor((isStream ? there : data.length) / ((channels * bits) / 8));
  if (length === 0) throw new RangeError("has no sound");
  return {
    rate,
    channels,
    length,
    decode: () => decode(new DataView(view.buffer, view.byteOffset + data.start), format, length),
  };
}

function decode(view: DataView, { kind, bits, channels }: Format, length: number): Float32Array {
  const sampleAt = READERS[`${kind} ${bits}`] as Reader;
  const bytes = bits / 8;
  const samples = new Float32Array(length);
  for (let index = 0, at = 0; index < length; index++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++, at += bytes) sum += sampleAt(view, at);
    samples[index] = sum / channels;
    if (!Number.isFinite(samples[index]))
      throw new RangeError(`has a sample that is no finite number, at ${index}`);
  }
  return samples;
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
