/** The header of a WAV file with `length` bytes of PCM behind it. */
export function wavHeader({
  rate,
  channels,
  bits,
  length,
}: {
  rate: number;
  channels: number;
  bits: number;
  length: number;
}): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(44));
  const bytes = new Uint8Array(view.buffer);
  const write = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  const block = (channels * bits) / 8;
  write(0, "RIFF");
  view.setUint32(4, 36 + length, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * block, true);
  view.setUint16(32, block, true);
  view.setUint16(34, bits, true);
  write(36, "data");
  view.setUint32(40, length, true);
  return bytes;
}
