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

/**
 * The character of each byte, as in GPT-2. Bytes that are printable in Latin-1 stand for themselves. The others get
 * characters from 256 on.
 */
export const CHARACTER_OF_BYTE: string[] = [];
for (let byte = 0, next = 256; byte < 256; byte++) {
  const isPrintable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  CHARACTER_OF_BYTE.push(String.fromCharCode(isPrintable ? byte : next++));
}

/** Takes the bytes one by one: a `TextEncoder` takes ten times as long for a short word. */
export function bytesAsCharacters(text: string): string {
  let made = "";
  const add = (byte: number): void => void (made += CHARACTER_OF_BYTE[byte]!);
  for (let at = 0; at < text.length; at++) {
    const point = text.codePointAt(at)!;
    if (point < 0x80) {
      add(point);
      continue;
    }
    if (point < 0x800) add(0xc0 | (point >> 6));
    else {
      if (point < 0x1_0000) add(0xe0 | (point >> 12));
      else {
        at += 1;
        add(0xf0 | (point >> 18));
        add(0x80 | ((point >> 12) & 0x3f));
      }
      add(0x80 | ((point >> 6) & 0x3f));
    }
    add(0x80 | (point & 0x3f));
  }
  return made;
}
