import * as z from "zod";
import type { Parts } from "../define.ts";
import { byteTokens } from "./byte-tokens.ts";
import { ROOT, Trie } from "./trie.ts";
import { PART_LENGTH } from "./effort.ts";
import type { WordModel } from "./word-model.ts";

/** A Unigram model in `tokenizer.json`: pieces with their log probabilities. */
const schema = z.looseObject({
  vocab: z.array(z.tuple([z.string(), z.number()])).min(1),
  unk_id: z.number().int().nullish(),
  byte_fallback: z.boolean().nullish(),
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
  const { vocab, unk_id: unknownId, byte_fallback: fallsBack } = schema.parse(json);
  if (typeof unknownId !== "number")
    throw new Error("a Unigram model without unk_id is not supported");
  const trie = new Trie();
  const scores = Float64Array.from(vocab, ([, score]) => score);
  for (const [index, [piece]] of vocab.entries()) trie.add(piece, index);
  const bytesOf = fallsBack ? byteTokens((token) => trie.numberOf(token)) : undefined;
  const unknownScore = scores.reduce((least, score) => Math.min(least, score)) - UNKNOWN_PENALTY;
  // One word is cut after the other, and most are short: arrays of its own would take longer than the word.
  const waysOfShort = waysFor(PART_LENGTH);

  function* cut(word: string, { ids, spans }: Made, { best, starts, pieces }: Ways): Parts<void> {
    const { length } = word;
    starts.fill(-1, 0, length + 1);
    best[0] = 0;
    const offer = (end: number, score: number, start: number, piece: number): void => {
      if (starts[end]! >= 0 && score <= best[end]!) return;
      best[end] = score;
      starts[end] = start;
      pieces[end] = piece;
    };
    for (let start = 0, next = 0, count = 1; start < length; start = next, count++) {
      if (count % PART_LENGTH === 0) yield;
      const soFar = best[start]!;
      next = start + unitsAt(word, start);
      let node = ROOT;
      let single = false;
      for (let end = start; end < length;) {
        node = trie.next(node, word.codePointAt(end)!);
        if (node === ROOT) break;
        end += unitsAt(word, end);
        const piece = trie.numberAt(node);
        if (piece < 0 || piece === unknownId) continue;
        offer(end, scores[piece]! + soFar, start, piece);
        single ||= end === next;
      }
      if (!single) offer(next, unknownScore + soFar, start, -1);
    }
    const found: number[] = [];
    const begins: number[] = [];
    for (let end = length; end > 0; end = starts[end]!) {
      const piece = pieces[end]!;
      // Neighbouring unknown characters are one unknown token.
      if (piece < 0 && found.at(-1) === unknownId) begins.pop();
      else found.push(piece >= 0 ? piece : unknownId!);
      begins.push(starts[end]!);
    }
    for (let at = found.length - 1; at >= 0; at--) {
      const [piece, start, end] = [found[at]!, begins[at]!, begins[at - 1] ?? length];
      const bytes = piece === unknownId ? bytesOf?.(word.slice(start, end)) : undefined;
      for (const id of bytes ?? [piece]) {
        ids.push(id);
        spans?.push(start, end);
      }
    }
  }

  return {
    idOf: (token) => trie.numberOf(token),
    encode(word, ids, spans) {
      const made = { ids, spans };
      if (word.length > PART_LENGTH) return cut(word, made, waysFor(word.length));
      cut(word, made, waysOfShort).next();
      return undefined;
    },
  };
}

/** Where the tokens of a word go. */
interface Made {
  ids: number[];
  spans: number[] | undefined;
}

/** For each end in a word: the best score, the start of its last piece (-1: not reached), and that piece (-1: unknown). */
interface Ways {
  best: Float64Array;
  starts: Int32Array;
  pieces: Int32Array;
}

function waysFor(length: number): Ways {
  const ends = length + 1;
  return {
    best: new Float64Array(ends),
    starts: new Int32Array(ends),
    pieces: new Int32Array(ends),
  };
}

/** How many UTF-16 units the code point there has. */
function unitsAt(word: string, at: number): number {
  return word.codePointAt(at)! > 0xffff ? 2 : 1;
}
