import { wavHeader } from "../../wire/wav-header.ts";

const RATE = 4000;
const SAMPLES = 500;

/** A WAV file in base64, of 8 bits at 4 kHz: an eighth of a second of a tone that rises from 200 Hz to 1 kHz. */
export function chirp(): string {
  const header = wavHeader({ rate: RATE, channels: 1, bits: 8, length: SAMPLES });
  const samples = Array.from({ length: SAMPLES }, (_, index) => {
    const time = index / RATE;
    return 128 + Math.round(100 * Math.sin(2 * Math.PI * (200 + 3200 * time) * time));
  });
  return btoa(String.fromCharCode(...header, ...samples));
}
