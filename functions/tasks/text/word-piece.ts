import * as z from "zod";
import { ROOT, Trie } from "./trie.ts";
import { codePointsOf, vocabularySchema, type WordModel } from "./word-model.ts";

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
    encode(word, ids) {
      const points = word.length > 2 * longest ? undefined : codePointsOf(word);
      if (!points || points.length > longest) {
        ids.push(unknownId);
        return undefined;
      }
      const before = ids.length;
      for (let start = 0; start < points.length;) {
        let node = start === 0 ? ROOT : continuing;
        let [end, id] = [start, -1];
        for (let at = start; at < points.length && node !== undefined; at++) {
          node = trie.next(node, points[at]!);
          if (node === ROOT) break;
          const number = trie.numberAt(node);
          if (number >= 0) [end, id] = [at + 1, number];
        }
        if (id < 0) {
          ids.length = before;
          ids.push(unknownId);
          return undefined;
        }
        ids.push(id);
        start = end;
      }
      return undefined;
    },
  };
}
