import type { Place, PreTokenizer } from "./library-steps.ts";

/** Cuts a text into words. */
type PreTokenize = (text: string, place: Place) => string[];

/** The library's pre-tokenizers in order. An own one replaces a slow one. */
export function preTokenizersOf(step: PreTokenizer | null): PreTokenize[] {
  if (!step) return [];
  if (step.tokenizers) return step.tokenizers.flatMap(preTokenizersOf);
  // A step that uses the expression was rewritten as a Split before.
  const { type, use_regex: splits, add_prefix_space: prefixed } = step.config ?? {};
  if (type === "ByteLevel" && splits === false)
    return [(text) => [bytesAsCharacters(prefixed && !text.startsWith(" ") ? ` ${text}` : text)]];
  return [(text, place) => step.pre_tokenize_text(text, place)];
}

const encoder = new TextEncoder();

/**
 * The character of each byte, as in GPT-2. Bytes that are printable in Latin-1 stand for themselves. The others get
 * characters from 256 on.
 */
const CHARACTER_OF_BYTE = new Uint16Array(256);
for (let byte = 0, next = 256; byte < 256; byte++) {
  const isPrintable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  CHARACTER_OF_BYTE[byte] = isPrintable ? byte : next++;
}
/** A call can take this many arguments on every platform. */
const BLOCK = 8192;

function bytesAsCharacters(text: string): string {
  const codes = Uint16Array.from(encoder.encode(text));
  for (let at = 0; at < codes.length; at++) codes[at] = CHARACTER_OF_BYTE[codes[at]!]!;
  let made = "";
  for (let at = 0; at < codes.length; at += BLOCK)
    made += String.fromCharCode(...codes.subarray(at, at + BLOCK));
  return made;
}
