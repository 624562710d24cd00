import { CHARACTER_OF_BYTE } from "./pre-tokenizers.ts";

const BYTE_OF_CHARACTER = new Map(CHARACTER_OF_BYTE.map((character, byte) => [character, byte]));

/** The text of byte-level tokens. A token with a character that stands for no byte is text itself. */
export function textOfBytes(tokens: readonly string[]): string {
  const encoder = new TextEncoder();
  const bytes = tokens.flatMap((token) => {
    const own = Array.from(token, (character) => BYTE_OF_CHARACTER.get(character));
    return own.every((byte) => byte !== undefined) ? own : Array.from(encoder.encode(token));
  });
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}
