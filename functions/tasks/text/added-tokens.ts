import { ROOT, Trie } from "./trie.ts";

/** A token that is found in a text before words are made. */
export interface AddedToken {
  id: number;
  content: string;
  /** `lstrip` and `rstrip`: whether the token includes the white space before it, and after it. */
  lstrip: boolean;
  rstrip: boolean;
}

/**
 * Splits a text at its added tokens. Gives their ids and the texts between them. Where several tokens fit, the longest
 * one counts.
 */
export function addedTokenSplitter(tokens: readonly AddedToken[]) {
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

  return function split(text: string): (string | number)[] {
    const found: (string | number)[] = [];
    let start = 0;
    let trims = false;
    const pushText = (end: number, trimsEnd: boolean): void => {
      let part = text.slice(start, end);
      if (trims) part = part.trimStart();
      if (trimsEnd) part = part.trimEnd();
      if (start < end) found.push(part);
    };
    // Most texts have no character that begins a token.
    beginnings.lastIndex = 0;
    while (beginnings.test(text)) {
      const at = beginnings.lastIndex - 1;
      const { token, end } = tokenAt(text, at);
      if (!token) continue;
      pushText(at, token.lstrip);
      found.push(token.id);
      trims = token.rstrip;
      start = beginnings.lastIndex = end;
    }
    pushText(text.length, false);
    return found;
  };
}

/** Finds any of these UTF-16 units. */
function anyOf(units: ReadonlySet<string>): RegExp {
  const escaped = Array.from(units, (unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"));
  return new RegExp(`[${escaped.map((code) => `\\u${code}`).join("")}]`, "g");
}
