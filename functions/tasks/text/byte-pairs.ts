import * as z from "zod";
import type { Parts } from "../define.ts";
import { byteTokens } from "./byte-tokens.ts";
import { MergeQueue } from "./merge-queue.ts";
import { PairTable } from "./pair-table.ts";
import { PART_LENGTH } from "./effort.ts";
import { vocabularySchema, type WordModel } from "./word-model.ts";

/**
 * A BPE model in `tokenizer.json`. A merge is a pair of tokens; in older files, one text with a space between the two.
 */
const schema = z.looseObject({
  vocab: vocabularySchema,
  merges: z.custom<(string | [string, string])[]>(Array.isArray),
  unk_token: z.string().nullish(),
  end_of_word_suffix: z.string().nullish(),
  fuse_unk: z.boolean().nullish(),
  byte_fallback: z.boolean().nullish(),
  ignore_merges: z.boolean().nullish(),
});

/** The tokens of a word: their ids, and where each starts and ends in the word. */
interface Made {
  ids: number[];
  spans: number[];
}

/** Remembers the ids of words up to this length, and of this many words. */
const [REMEMBERED_LENGTH, MOST_REMEMBERED] = [32, 10_000];

/**
 * Byte pair encoding as in the reference. Joins neighbours in a word as long as any pair is known; the pair that was
 * learned first goes first. A queue gives the next pair, so that the time grows with n log n.
 */
export function bytePairs(json: unknown): WordModel {
  const options = schema.parse(json);
  const vocab = new Map(Object.entries(options.vocab));
  const suffix = options.end_of_word_suffix ?? "";
  const unknownId = options.unk_token ? vocab.get(options.unk_token) : undefined;
  const fusesUnknown = options.fuse_unk ?? false;
  const ignoresMerges = options.ignore_merges ?? false;
  const byteIds = options.byte_fallback ? byteTokens((token) => vocab.get(token)) : undefined;
  const pairs = new PairTable();
  const ranks = new Int32Array(options.merges.length + 1);
  const joined = new Int32Array(options.merges.length + 1);
  for (const [rank, merge] of options.merges.entries()) {
    const [left, right] =
      typeof merge === "string" ? (merge.split(" ", 2) as [string, string]) : merge;
    const ids = [vocab.get(left), vocab.get(right), vocab.get(left + right)];
    const [first, second, both] = ids;
    if (first === undefined || second === undefined || both === undefined)
      throw new Error(
        `the merge of ${left} and ${right} has a token that is not in the vocabulary`,
      );
    const pair = pairs.add(first, second);
    ranks[pair] = rank;
    joined[pair] = both;
  }
  const remembered = new Map<string, Made>();

  /** The ids of a word's characters, before any are joined, and where each starts and ends. */
  function* symbolsOf(word: string): Parts<Made> {
    const symbols: number[] = [];
    const spans: number[] = [];
    let unknownFrom = -1;
    const flush = (end: number): void => {
      if (unknownFrom >= 0) {
        symbols.push(unknownId!);
        spans.push(unknownFrom, end);
      }
      unknownFrom = -1;
    };
    for (let at = 0, count = 1; at < word.length; count++) {
      if (count % PART_LENGTH === 0) yield;
      const end = at + (word.codePointAt(at)! > 0xffff ? 2 : 1);
      const start = at;
      const character = word.slice(at, end) + (end === word.length ? suffix : "");
      at = end;
      const id = vocab.get(character);
      if (id !== undefined) {
        flush(start);
        symbols.push(id);
        spans.push(start, end);
        continue;
      }
      const bytes = byteIds?.(character);
      if (bytes) {
        symbols.push(...bytes);
        for (const _ of bytes) spans.push(start, end);
        continue;
      }
      if (unknownId === undefined) continue;
      if (!fusesUnknown) flush(start);
      if (unknownFrom < 0) unknownFrom = start;
    }
    flush(word.length);
    return { ids: symbols, spans };
  }

  function* join(word: string, ids: number[], spans?: number[]): Parts<void> {
    const { ids: symbols, spans: places } = yield* symbolsOf(word);
    const { length } = symbols;
    // Each symbol's neighbours. When a pair is joined, its left place gets the new symbol and its right place gets -1.
    const before = new Int32Array(length);
    const after = new Int32Array(length);
    for (let at = 0; at < length; at++) {
      before[at] = at - 1;
      after[at] = at + 1;
    }
    const queue = new MergeQueue();
    const offer = (left: number): void => {
      const right = after[left]!;
      if (right >= length) return;
      const pair = pairs.find(symbols[left]!, symbols[right]!);
      if (pair > 0) queue.push(ranks[pair]!, left);
    };
    for (let at = 0; at < length - 1; at++) {
      if (at > 0 && at % PART_LENGTH === 0) yield;
      offer(at);
    }
    for (let count = 1; queue.pop(); count++) {
      if (count % PART_LENGTH === 0) yield;
      const left = queue.position;
      const right = after[left]!;
      if (symbols[left]! < 0 || right >= length) continue;
      const pair = pairs.find(symbols[left]!, symbols[right]!);
      // Skips a pair that was changed by a join in the meantime.
      if (pair === 0 || ranks[pair] !== queue.rank) continue;
      symbols[left] = joined[pair]!;
      symbols[right] = -1;
      const next = after[right]!;
      after[left] = next;
      if (next < length) before[next] = left;
      if (before[left]! >= 0) offer(before[left]!);
      offer(left);
    }
    for (let at = 0; at < length; at = after[at]!) {
      ids.push(symbols[at]!);
      spans?.push(places[2 * at]!, places[2 * after[at]! - 1]!);
    }
  }

  return {
    idOf: (token) => vocab.get(token),
    encode(word, ids, spans) {
      const whole = ignoresMerges ? vocab.get(word) : undefined;
      if (whole !== undefined) {
        ids.push(whole);
        spans?.push(0, word.length);
        return undefined;
      }
      if (word.length > REMEMBERED_LENGTH) {
        const parts = join(word, ids, spans);
        if (word.length > PART_LENGTH) return parts;
        parts.next();
        return undefined;
      }
      let known = remembered.get(word);
      if (!known) {
        const made: Made = { ids: [], spans: [] };
        join(word, made.ids, made.spans).next();
        // Few texts have many different words. A flood of new words must not stay in memory.
        if (remembered.size >= MOST_REMEMBERED) remembered.clear();
        remembered.set(word, (known = made));
      }
      for (const id of known.ids) ids.push(id);
      if (spans) for (const place of known.spans) spans.push(place);
      return undefined;
    },
  };
}
