import { invalidInput, NearcastError } from "../errors.ts";
import { wavHeader } from "./wav-header.ts";

type Parameters = Readonly<Record<string, string | undefined>>;

/** Media types of samples without a header. */
const RAW_SAMPLES = /^audio\/(l16|pcm)$/;
const KNOWN = new Set(["rate", "channels", "endianness"]);
const BYTES = 2;

/**
 * A WAV file of samples that come without a header, of 16 bits: `audio/l16;rate=16000` (RFC 2586: big-endian, unless
 * `endianness=little-endian` says otherwise) or `audio/pcm;rate=16000` (little-endian). `channels` is 1 when absent, and 8
 * at most. Undefined for any other media type. Throws `unsupported_media_type` for parameters that do not describe such
 * samples, and `invalid_input` for a part of a sample.
 */
export function wavOfSamples(
  type: string,
  parameters: Parameters,
  samples: Uint8Array,
): Uint8Array<ArrayBuffer> | undefined {
  if (!RAW_SAMPLES.test(type)) return undefined;
  const usual = type === "audio/l16" ? "big-endian" : "little-endian";
  const { rate = "", channels = "1", endianness = usual } = parameters;
  const order = endianness.toLowerCase();
  const isKnown =
    /^\d{1,7}$/.test(rate) && /^[1-8]$/.test(channels) && /^(big|little)-endian$/.test(order);
  const other = Object.keys(parameters).find((name) => !KNOWN.has(name));
  if (!isKnown || other !== undefined)
    throw new NearcastError(
      "unsupported_media_type",
      `The Content-Type must say what the samples of 16 bits are: ${type};rate=16000;channels=1;endianness=${usual}, with 1 to 8 channels. The last two may be absent.${other === undefined ? "" : ` It may not have the parameter ${other}.`}`,
    );
  const block = BYTES * Number(channels);
  if (samples.byteLength % block !== 0)
    throw invalidInput([
      {
        path: "inputs",
        message: `has ${samples.byteLength} bytes, which are no whole samples: ${channels} of 16 bits are ${block}`,
      },
    ]);
  const bytes = new Uint8Array(44 + samples.byteLength);
  const format = { rate: Number(rate), channels: Number(channels), bits: 8 * BYTES };
  bytes.set(wavHeader({ ...format, length: samples.byteLength }));
  bytes.set(samples, 44);
  if (order === "big-endian") swapPairs(bytes.subarray(44));
  return bytes;
}

function swapPairs(bytes: Uint8Array): void {
  for (let at = 0; at + 1 < bytes.length; at += 2)
    [bytes[at], bytes[at + 1]] = [bytes[at + 1] as number, bytes[at] as number];
}
