import { concatenate } from "../../concatenate.ts";
import { remembered } from "./remembered.ts";
import { CHARACTER_OF_BYTE } from "./pre-tokenizers.ts";

const BYTE_OF_CHARACTER = new Map(CHARACTER_OF_BYTE.map((character, byte) => [character, byte]));

/** Gives the text of byte-level tokens. Remembers the bytes of each token. */
export function createTextOfBytes(): (tokens: readonly string[]) => string {
  const bytesOfToken = remembered(bytesOf);
  return (tokens) =>
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(concatenate(tokens.map(bytesOfToken)));
}

/** A token with a character that stands for no byte is text itself. */
function bytesOf(token: string): Uint8Array {
  const bytes = Array.from(token, (character) => BYTE_OF_CHARACTER.get(character));
  const isText = bytes.includes(undefined);
  return isText ? new TextEncoder().encode(token) : Uint8Array.from(bytes as number[]);
}
