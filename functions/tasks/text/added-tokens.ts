import type { Tokenizer } from "@huggingface/tokenizers";
import { ROOT, Trie } from "./trie.ts";

/** A token that is found in a text before words are made. */
export interface AddedToken {
  id: number;
  content: string;
  /** `lstrip` and `rstrip`: whether the token includes the white space before it, and after it. */
  lstrip: boolean;
  rstrip: boolean;
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

/** Splits texts as they came, and normalised ones, each at the added tokens that are looked for there. */
export function addedTokenSplitters(
  added: readonly ListedToken[],
  normalizer: Tokenizer["normalizer"],
) {
  const isRaw = (token: ListedToken) => !token.normalized || normalizer === null;
  return {
    splitRaw: addedTokenSplitter(added.filter(isRaw)),
    splitNormal: addedTokenSplitter(
      added
        .filter((token) => !isRaw(token))
        .map((token) => ({ ...token, content: normalizer?.normalize(token.content) ?? "" })),
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
    let start = 0;
    let before: AddedToken | undefined;
    let last: Section | undefined;
    const pushText = (end: number, after: AddedToken | undefined): void => {
      const trimsStart = before?.rstrip ?? false;
      const trimsEnd = after?.lstrip ?? false;
      const from = trimsStart ? end - text.slice(start, end).trimStart().length : start;
      const to = trimsEnd ? from + text.slice(from, end).trimEnd().length : end;
      if (last) last.end = from;
      if (start < end) found.push({ id: undefined, start: from, end: to });
      start = to;
    };
    // Most texts have no character that begins a token.
    beginnings.lastIndex = 0;
    while (beginnings.test(text)) {
      const at = beginnings.lastIndex - 1;
      const { token, end } = tokenAt(text, at);
      if (!token) continue;
      pushText(at, token);
      found.push((last = { id: token.id, start, end }));
      before = token;
      start = beginnings.lastIndex = end;
    }
    pushText(text.length, undefined);
    return found;
  };
}

/** Finds any of these UTF-16 units. */
function anyOf(units: ReadonlySet<string>): RegExp {
  const escaped = Array.from(units, (unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"));
  return new RegExp(`[${escaped.map((code) => `\\u${code}`).join("")}]`, "g");
}
