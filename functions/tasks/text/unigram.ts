import * as z from "zod";
import type { Parts } from "../define.ts";
import { ROOT, Trie } from "./trie.ts";
import { PART_LENGTH } from "./effort.ts";
import { codePointsOf, type WordModel } from "./word-model.ts";

/** A Unigram model in `tokenizer.json`: pieces with their log probabilities. */
const schema = z.looseObject({
  vocab: z.array(z.tuple([z.string(), z.number()])).min(1),
  unk_id: z.number().int().nullish(),
});

/**
 * How much lower the score of an unknown character is than that of the least likely piece. The number is the
 * reference's.
 */
const UNKNOWN_PENALTY = 10;

/**
 * Unigram: finds the most likely pieces of a word. Adds up scores in the reference's order. The library adds in another
 * order, and its rounding chooses another of the equally likely ways to cut `!!!!!`.
 */
export function unigram(json: unknown): WordModel {
  const { vocab, unk_id: unknownId } = schema.parse(json);
  if (typeof unknownId !== "number")
    throw new Error("a Unigram model without unk_id is not supported");
  const trie = new Trie();
  const scores = Float64Array.from(vocab, ([, score]) => score);
  for (const [index, [piece]] of vocab.entries()) trie.add(piece, index);
  const unknownScore = scores.reduce((least, score) => Math.min(least, score)) - UNKNOWN_PENALTY;

  function* encode(word: string, ids: number[]): Parts<void> {
    const points = codePointsOf(word);
    const { length } = points;
    /** For each end: the best score, the start of its last piece (-1: not reached), and that piece (-1: unknown). */
    const best = new Float64Array(length + 1);
    const starts = new Int32Array(length + 1).fill(-1);
    const pieces = new Int32Array(length + 1);
    const offer = (end: number, score: number, start: number, piece: number): void => {
      if (starts[end]! >= 0 && score <= best[end]!) return;
      best[end] = score;
      starts[end] = start;
      pieces[end] = piece;
    };
    for (let start = 0; start < length; start++) {
      if (start > 0 && start % PART_LENGTH === 0) yield;
      const soFar = best[start]!;
      let node = ROOT;
      let single = false;
      for (let end = start; end < length;) {
        node = trie.next(node, points[end]!);
        if (node === ROOT) break;
        end += 1;
        const piece = trie.numberAt(node);
        if (piece < 0 || piece === unknownId) continue;
        offer(end, scores[piece]! + soFar, start, piece);
        single ||= end === start + 1;
      }
      if (!single) offer(start + 1, unknownScore + soFar, start, -1);
    }
    const found: number[] = [];
    for (let end = length; end > 0; end = starts[end]!) {
      const piece = pieces[end]!;
      // Neighbouring unknown characters are one unknown token.
      if (piece >= 0) found.push(piece);
      else if (found.at(-1) !== unknownId) found.push(unknownId!);
    }
    for (let at = found.length - 1; at >= 0; at--) ids.push(found[at]!);
  }

  return {
    idOf: (token) => trie.numberOf(token),
    encode(word, ids) {
      const parts = encode(word, ids);
      if (word.length > PART_LENGTH) return parts;
      parts.next();
      return undefined;
    },
  };
}
