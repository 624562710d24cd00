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
  if (tokens.length === 0) return (text: string): (string | number)[] => [text];
  const trie = new Trie();
  for (const [index, { content }] of tokens.entries()) if (content !== "") trie.add(content, index);

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
    for (let at = 0; at < text.length;) {
      let [node, longest, end] = [ROOT, -1, at];
      for (let next = at; next < text.length;) {
        const point = text.codePointAt(next)!;
        node = trie.next(node, point);
        if (node === ROOT) break;
        next += point > 0xffff ? 2 : 1;
        const index = trie.numberAt(node);
        if (index >= 0) [longest, end] = [index, next];
      }
      const token = tokens[longest];
      if (token) {
        pushText(at, token.lstrip);
        found.push(token.id);
        trims = token.rstrip;
        start = end;
      }
      at = token ? end : at + 1;
    }
    pushText(text.length, false);
    return found;
  };
}
