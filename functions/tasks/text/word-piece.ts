import * as z from "zod";
import { ROOT, Trie } from "./trie.ts";
import { vocabularySchema, type WordModel } from "./word-model.ts";

const schema = z.looseObject({
  vocab: vocabularySchema,
  unk_token: z.string(),
  continuing_subword_prefix: z.string().default("##"),
  max_input_chars_per_word: z.number().default(100),
});

/**
 * WordPiece: takes the longest token that begins the word, then the longest that goes on, and so forth. The library
 * tries every length, which takes time with the square of a word's length.
 */
export function wordPiece(json: unknown): WordModel {
  const {
    vocab,
    unk_token: unknownToken,
    continuing_subword_prefix: prefix,
    max_input_chars_per_word: longest,
  } = schema.parse(json);
  const trie = new Trie();
  for (const token of Object.keys(vocab)) trie.add(token, vocab[token]!);
  const unknownId = vocab[unknownToken];
  if (unknownId === undefined) throw new Error(`the unknown token ${unknownToken} has no id`);
  const continuing = trie.nodeOf(prefix);

  return {
    idOf: (token) => trie.numberOf(token),
    encode(word, ids, spans) {
      if (isLonger(word, longest)) {
        ids.push(unknownId);
        spans?.push(0, word.length);
        return undefined;
      }
      const before = ids.length;
      for (let start = 0; start < word.length;) {
        let node = start === 0 ? ROOT : continuing;
        let [end, id] = [start, -1];
        for (let at = start; at < word.length && node !== undefined;) {
          const point = word.codePointAt(at)!;
          node = trie.next(node, point);
          if (node === ROOT) break;
          at += point > 0xffff ? 2 : 1;
          const number = trie.numberAt(node);
          if (number >= 0) [end, id] = [at, number];
        }
        if (id < 0) {
          if (spans) spans.length -= 2 * (ids.length - before);
          ids.length = before;
          ids.push(unknownId);
          spans?.push(0, word.length);
          return undefined;
        }
        ids.push(id);
        spans?.push(start, end);
        start = end;
      }
      return undefined;
    },
  };
}

/** Whether a word has more code points than that. Some of them take two UTF-16 units. */
function isLonger(word: string, longest: number): boolean {
  if (word.length <= longest) return false;
  return word.length > 2 * longest || Array.from(word).length > longest;
}
