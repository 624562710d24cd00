import { wavHeader } from "../../wire/wav-header.ts";

/** A WAV file in base64, of 8 bits: a tone that rises from 200 Hz, in an eighth of a second to 1 kHz. */
export function chirp({ rate, samples } = { rate: 4000, samples: 500 }): string {
  const header = wavHeader({ rate, channels: 1, bits: 8, length: samples });
  let binary = String.fromCharCode(...header);
  for (let index = 0; index < samples; index++) {
    const time = index / rate;
    binary += String.fromCharCode(
      128 + Math.round(100 * Math.sin(2 * Math.PI * (200 + 3200 * time) * time)),
    );
  }
  return btoa(binary);
}
