import * as z from "zod";

/** What a Unigram model is in `tokenizer.json`: pieces with their log probabilities. */
const unigramSchema = z.looseObject({
  vocab: z.array(z.tuple([z.string(), z.number()])).min(1),
  unk_id: z.number().int().nullish(),
});

interface TrieNode {
  next: Map<string, TrieNode>;
  /** Set where a piece ends. */
  score?: number;
}

/** How much less likely an unknown character is than the least likely piece. The number is the reference's. */
const UNKNOWN_PENALTY = 10;

/**
 * The most likely pieces of a word, with scores summed in the reference's order. The library sums in another
 * order: rounding then chooses another of the equally likely ways to cut `!!!!!`.
 */
export function unigramSegmenter(json: unknown): (word: string) => string[] {
  const { vocab, unk_id: unknownId } = unigramSchema.parse(json);
  const root: TrieNode = { next: new Map() };
  let lowest = Infinity;
  for (const [index, [piece, score]] of vocab.entries()) {
    lowest = Math.min(lowest, score);
    if (piece === "" || index === unknownId) continue;
    let node = root;
    for (const character of piece) {
      const next = node.next.get(character) ?? { next: new Map() };
      node.next.set(character, next);
      node = next;
    }
    node.score = score;
  }
  const unknownScore = lowest - UNKNOWN_PENALTY;

  return function segment(word) {
    const characters = Array.from(word);
    const best: { score: number; start: number; known: boolean }[] = [
      { score: 0, start: 0, known: true },
    ];
    const offer = (end: number, score: number, start: number, known: boolean): void => {
      const reached = best[end];
      if (!reached || score > reached.score) best[end] = { score, start, known };
    };
    for (let start = 0; start < characters.length; start++) {
      const soFar = best[start]?.score ?? 0;
      let node: TrieNode | undefined = root;
      let single = false;
      for (let end = start; end < characters.length;) {
        node = node.next.get(characters[end] as string);
        if (!node) break;
        end += 1;
        if (node.score === undefined) continue;
        offer(end, node.score + soFar, start, true);
        single ||= end === start + 1;
      }
      if (!single) offer(start + 1, unknownScore + soFar, start, false);
    }
    const pieces: string[] = [];
    let unknownEnd: number | undefined;
    for (let end = characters.length; end > 0;) {
      const { start, known } = best[end] ?? { start: end - 1, known: false };
      // Neighbouring unknown characters are one unknown token.
      if (!known) unknownEnd ??= end;
      if (known && unknownEnd !== undefined) {
        pieces.push(characters.slice(end, unknownEnd).join(""));
        unknownEnd = undefined;
      }
      if (known) pieces.push(characters.slice(start, end).join(""));
      end = start;
    }
    if (unknownEnd !== undefined) pieces.push(characters.slice(0, unknownEnd).join(""));
    return pieces.toReversed();
  };
}
