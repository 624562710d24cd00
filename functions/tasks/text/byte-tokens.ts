/** Gives the tokens of a text's UTF-8 bytes, such as `<0x41>`. Undefined when one of the bytes has no token. */
export function byteTokens(idOf: (token: string) => number | undefined) {
  const encoder = new TextEncoder();
  const ids = Array.from({ length: 256 }, (_, byte) =>
    idOf(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
  );
  return (text: string): number[] | undefined => {
    const found = Array.from(encoder.encode(text), (byte) => ids[byte]);
    return found.every((id) => id !== undefined) ? found : undefined;
  };
}
