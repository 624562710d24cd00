import { hasText } from "../image/formats.ts";

const OTHERS: readonly (readonly [name: string, offset: number, magic: string])[] = [
  ["an MP3", 0, "ID3"],
  ["an Ogg", 0, "OggS"],
  ["a FLAC", 0, "fLaC"],
  ["a WebM", 0, "\x1a\x45\xdf\xa3"],
  ["an MP4", 4, "ftyp"],
  ["an AIFF", 0, "FORM"],
  ["an AU", 0, ".snd"],
  ["an AMR", 0, "#!AMR"],
  ["a CAF", 0, "caff"],
  ["an RF64", 0, "RF64"],
  ["a BW64", 0, "BW64"],
  ["a big-endian RIFX", 0, "RIFX"],
  ["an AVI", 8, "AVI "],
  ["a WebP", 8, "WEBP"],
];

const REMEDY = "send it as a WAV file of PCM, such as: ffmpeg -i recording -ac 1 recording.wav";

/** Throws a RangeError for bytes that are no WAV file, and names their format where it is known. */
export function refuseOthers(bytes: Uint8Array): never {
  if (bytes.length === 0) throw new RangeError("is empty");
  const [name] = OTHERS.find(([, offset, magic]) => hasText(bytes, offset, magic)) ?? [];
  if (name !== undefined) throw new RangeError(`is ${name} file; ${REMEDY}`);
  // A frame of MPEG audio or AAC begins with eleven ones.
  if (bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe0) === 0xe0)
    throw new RangeError(`is an MP3 or AAC file; ${REMEDY}`);
  throw new RangeError(
    "must be a WAV file; raw samples must be the whole body, with a Content-Type such as audio/l16;rate=16000",
  );
}
