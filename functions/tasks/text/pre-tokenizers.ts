import type { Place, PreTokenizer } from "./library-steps.ts";

/** Cuts a text into words. */
type PreTokenize = (text: string, place: Place) => string[];

/** The library's pre-tokenizers one after another, with an own one in the place of a slow one. */
export function preTokenizersOf(step: PreTokenizer | null): PreTokenize[] {
  if (!step) return [];
  if (step.tokenizers) return step.tokenizers.flatMap(preTokenizersOf);
  // With the expression, it was rewritten as a Split before this.
  const { type, use_regex: splits, add_prefix_space: prefixed } = step.config ?? {};
  if (type === "ByteLevel" && splits === false)
    return [(text) => [bytesAsCharacters(prefixed && !text.startsWith(" ") ? ` ${text}` : text)]];
  return [(text, place) => step.pre_tokenize_text(text, place)];
}

const encoder = new TextEncoder();

/** As GPT-2 has it: bytes that are printable in Latin-1 are themselves, the others are numbered from 256 on. */
const CHARACTER_OF_BYTE = new Uint16Array(256);
for (let byte = 0, next = 256; byte < 256; byte++) {
  const isPrintable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  CHARACTER_OF_BYTE[byte] = isPrintable ? byte : next++;
}
/** A call takes so many arguments on every platform. */
const BLOCK = 8192;

function bytesAsCharacters(text: string): string {
  const codes = Uint16Array.from(encoder.encode(text));
  for (let at = 0; at < codes.length; at++) codes[at] = CHARACTER_OF_BYTE[codes[at]!]!;
  let made = "";
  for (let at = 0; at < codes.length; at += BLOCK)
    made += String.fromCharCode(...codes.subarray(at, at + BLOCK));
  return made;
}
