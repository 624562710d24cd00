import type { Tokenizer } from "@huggingface/tokenizers";
import { ROOT, Trie } from "./trie.ts";

/** A token that is found in a text before words are made. */
export interface AddedToken {
  id: number;
  content: string;
  /** `lstrip` and `rstrip`: whether the token includes the white space before it, and after it. */
  lstrip: boolean;
  rstrip: boolean;
  /** Whether it is found only where no word goes on before or after it. */
  singleWord: boolean;
}

/** An added token with its id, or the text between two, from `start` to `end` in UTF-16 units. */
export interface Section {
  id: number | undefined;
  start: number;
  end: number;
}

/** An added token as tokenizer.json lists it. */
export interface ListedToken extends AddedToken {
  /** Whether it is looked for in the normalised text. */
  normalized: boolean;
}

/**
 * Splits texts as they came, and normalised ones, each at the added tokens that are looked for there. Those of texts as
 * they came go first.
 */
export function addedTokenSplitters(
  added: readonly ListedToken[],
  normalizer: Tokenizer["normalizer"],
) {
  return {
    splitRaw: addedTokenSplitter(added.filter((token) => !token.normalized)),
    splitNormal: addedTokenSplitter(
      added
        .filter((token) => token.normalized)
        .map((token) => ({
          ...token,
          content: normalizer ? normalizer.normalize(token.content) : token.content,
        })),
    ),
  };
}

/**
 * Splits a text at its added tokens. A token includes the white space that it strips. Where several tokens fit, the longest
 * one counts.
 */
function addedTokenSplitter(tokens: readonly AddedToken[]) {
  const trie = new Trie();
  const units = new Set<string>();
  for (const [index, { content }] of tokens.entries()) {
    if (content === "") continue;
    trie.add(content, index);
    units.add(content.charAt(0));
  }
  const beginnings = anyOf(units);

  /** The longest token at this place, and where it ends. */
  function tokenAt(text: string, at: number) {
    let [node, longest, end] = [ROOT, -1, at];
    for (let next = at; next < text.length;) {
      const point = text.codePointAt(next)!;
      node = trie.next(node, point);
      if (node === ROOT) break;
      next += point > 0xffff ? 2 : 1;
      const index = trie.numberAt(node);
      if (index >= 0) [longest, end] = [index, next];
    }
    return { token: tokens[longest], end };
  }

  return function split(text: string): Section[] {
    const found: Section[] = [];
    let behind = 0;
    let spaces = 0;
    // Most texts have no character that begins a token.
    beginnings.lastIndex = 0;
    while (beginnings.test(text)) {
      const at = beginnings.lastIndex - 1;
      const { token, end } = tokenAt(text, at);
      if (!token) continue;
      beginnings.lastIndex = end;
      // What is no word of its own is text, also where a shorter token would fit.
      if (token.singleWord && (isWord(text, at - 1) || isWord(text, end))) continue;
      let [start, stop] = [at, end];
      if (token.lstrip) while (start > behind && SPACE.test(text[start - 1]!)) start--;
      if (token.rstrip) {
        // Tokens may begin with spaces: those that were counted are not counted again.
        spaces = Math.max(spaces, stop);
        while (spaces < text.length && SPACE.test(text[spaces]!)) spaces++;
        stop = spaces;
      }
      if (behind < start) found.push({ id: undefined, start: behind, end: start });
      found.push({ id: token.id, start, end: stop });
      behind = stop;
    }
    if (behind < text.length) found.push({ id: undefined, start: behind, end: text.length });
    return found;
  };
}

/** All white space of Unicode is in its first plane. */
const SPACE = /\p{White_Space}/u;
const WORD = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/** Whether the character with this UTF-16 unit may be part of a word. */
function isWord(text: string, at: number): boolean {
  const isLow = /[\udc00-\udfff]/.test(text.charAt(at));
  const point = text.codePointAt(isLow ? at - 1 : at);
  return at >= 0 && point !== undefined && WORD.test(String.fromCodePoint(point));
}

/** Finds any of these UTF-16 units. */
function anyOf(units: ReadonlySet<string>): RegExp {
  const escaped = Array.from(units, (unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"));
  return new RegExp(`[${escaped.map((code) => `\\u${code}`).join("")}]`, "g");
}
