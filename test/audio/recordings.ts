/** What a recording of the fixtures is. */
export interface Recipe {
  kind: string;
  rate: number;
  length: number;
  channels: number;
  format: string;
  seed: number;
}

/** The WAV file of a recipe, as make_audio.py has it heard. */
export function recordingOf(recipe: Recipe): Uint8Array<ArrayBuffer> {
  const { length, channels, format, rate } = recipe;
  const all = Array.from({ length: channels }, (_, channel) => wholeSamples(recipe, channel));
  const { tag, bytes, write } = FORMATS[format as keyof typeof FORMATS];
  const data = new DataView(new ArrayBuffer(length * channels * bytes));
  for (let index = 0; index < length; index++)
    for (let channel = 0; channel < channels; channel++)
      write(data, (index * channels + channel) * bytes, all[channel]?.[index] ?? 0);
  return wavOf(new Uint8Array(data.buffer), { tag, channels, rate, bits: bytes * 8 });
}

export interface Header {
  tag?: number;
  channels?: number;
  rate?: number;
  bits?: number;
  /** What the header says of the data's length. */
  said?: number;
}

/** A WAV file of these bytes of samples. */
export function wavOf(
  samples: Uint8Array,
  { tag = 1, channels = 1, rate = 16_000, bits = 16, said = samples.length }: Header = {},
): Uint8Array<ArrayBuffer> {
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE((36 + said) % 2 ** 32, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(tag, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(((rate * channels * bits) / 8) % 2 ** 32, 28);
  header.writeUInt16LE((channels * bits) / 8, 32);
  header.writeUInt16LE(bits, 34);
  header.write("data", 36);
  header.writeUInt32LE(said, 40);
  return new Uint8Array(Buffer.concat([header, samples]));
}

type Write = (data: DataView, at: number, whole: number) => void;

const FORMATS: Record<
  "PCM_U8" | "PCM_16" | "PCM_24" | "PCM_32" | "FLOAT" | "DOUBLE",
  { tag: number; bytes: number; write: Write }
> = {
  PCM_U8: {
    tag: 1,
    bytes: 1,
    write: (data, at, whole) => data.setUint8(at, Math.floor(whole / 256) + 128),
  },
  PCM_16: { tag: 1, bytes: 2, write: (data, at, whole) => data.setInt16(at, whole, true) },
  PCM_24: {
    tag: 1,
    bytes: 3,
    write: (data, at, whole) => {
      data.setUint8(at, 0);
      data.setInt16(at + 1, whole, true);
    },
  },
  PCM_32: { tag: 1, bytes: 4, write: (data, at, whole) => data.setInt32(at, whole * 65536, true) },
  FLOAT: { tag: 3, bytes: 4, write: (data, at, whole) => data.setFloat32(at, whole / 32768, true) },
  DOUBLE: {
    tag: 3,
    bytes: 8,
    write: (data, at, whole) => data.setFloat64(at, whole / 32768, true),
  },
};

const round = (value: number) => Math.floor(value + 0.5);

/** From -32768 to 32767, to the number those of make_audio.py. */
function wholeSamples(recipe: Recipe, channel: number): number[] {
  const { kind, rate, length } = recipe;
  const seed = recipe.seed + channel;
  let state = seed;
  const sampleAt = (index: number): number => {
    const time = index / rate;
    if (kind === "tone") return round(20_000 * Math.sin(2 * Math.PI * (100 + 37 * seed) * time));
    if (kind === "chirp")
      return round(15_000 * Math.sin(2 * Math.PI * (50 * seed + 900 * time) * time));
    if (kind === "pulses") return (index % (40 + seed) === 0 ? 30_000 : 0) - 300;
    if (kind === "silence") return 0;
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return Math.floor((Math.floor(state / 65_536) - 32_768) / 4);
  };
  return Array.from({ length }, (_, index) => sampleAt(index));
}
