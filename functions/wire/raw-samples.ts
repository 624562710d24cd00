import { NearcastError } from "../errors.ts";
import { wavHeader } from "./wav-header.ts";

type Parameters = Readonly<Record<string, string | undefined>>;

/** Media types of samples without a header. */
const RAW_SAMPLES = /^audio\/(l16|pcm)$/;

/**
 * A WAV file of samples that come without a header, of 16 bits: `audio/l16;rate=16000` (RFC 2586: big-endian, unless
 * `endianness=little-endian` says otherwise) or `audio/pcm;rate=16000` (little-endian). `channels` is 1 when absent.
 * Undefined for any other media type. Throws `unsupported_media_type` for parameters that do not describe the samples.
 */
export function wavOfSamples(
  type: string,
  parameters: Parameters,
  samples: Uint8Array,
): Uint8Array<ArrayBuffer> | undefined {
  if (!RAW_SAMPLES.test(type)) return undefined;
  const rate = wholeOf(parameters["rate"]);
  const channels = wholeOf(parameters["channels"] ?? "1");
  const order = parameters["endianness"] ?? (type === "audio/l16" ? "big-endian" : "little-endian");
  if (rate === undefined || channels === undefined || !/^(big|little)-endian$/.test(order))
    throw new NearcastError(
      "unsupported_media_type",
      `The Content-Type must say what the samples are: ${type};rate=16000;channels=1;endianness=${type === "audio/l16" ? "big" : "little"}-endian. The last two may be absent.`,
    );
  const bytes = new Uint8Array(44 + samples.byteLength);
  bytes.set(wavHeader({ rate, channels, bits: 16, length: samples.byteLength }));
  bytes.set(samples, 44);
  if (order === "big-endian") swapPairs(bytes.subarray(44));
  return bytes;
}

/** A number that a header of a WAV file can hold in its smallest fields. */
function wholeOf(text = ""): number | undefined {
  return /^\d{1,7}$/.test(text) ? Number(text) : undefined;
}

function swapPairs(bytes: Uint8Array): void {
  for (let at = 0; at + 1 < bytes.length; at += 2)
    [bytes[at], bytes[at + 1]] = [bytes[at + 1] as number, bytes[at] as number];
}
