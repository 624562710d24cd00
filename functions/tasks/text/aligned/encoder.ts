import type { Parts } from "../../define.ts";
import { addedTokenSplitters } from "../added-tokens.ts";
import type { TextBudget } from "../../text-budget.ts";
import type { Effort } from "../effort.ts";
import type { Normalizer, PreTokenizer } from "../library-steps.ts";
import { placeOf, type Steps } from "../text-encoder.ts";
import { sliced, unchanged, type Aligned, type Part } from "./aligned.ts";
import { alignedNormalizers } from "./normalizers.ts";
import { alignedWords } from "./words.ts";

/** The tokens of a text in order, without special tokens: their ids, their places, and the numbers of their words. */
export interface Tokens {
  ids: number[];
  /** Where each token starts and ends in the text, in Unicode characters. */
  starts: number[];
  ends: number[];
  /** Tokens of one word have the same number. */
  words: number[];
  /** The texts of added tokens, with the white space that they strip. Undefined for others. */
  added: (string | undefined)[];
}

export interface AlignedOptions {
  /** The most characters of the normalised text. */
  mostCharacters: number;
  /** Gets the characters that a text gains when it is normalised. */
  budget: Pick<TextBudget, "takeCharacters">;
  effort: Effort;
  /** Work may end when there are this many tokens. All are made when absent. */
  enough?: number;
}

/**
 * Does the same as `textEncoder`, and says where in the text each token comes from. That takes several times as long, so
 * only the tasks that answer with places use it. Throws an Error where a step cannot tell places.
 */
export function alignedEncoder({ normalizer, preTokenizer, model, added }: Steps) {
  const normalizers = alignedNormalizers(normalizer as Normalizer | null);
  const cuts = alignedWords(preTokenizer as PreTokenizer | null);
  const { splitRaw, splitNormal } = addedTokenSplitters(added, normalizer);

  /** Works in parts. Throws a RangeError whose message continues the input's name. */
  return function* encode(text: string, options: AlignedOptions): Parts<Tokens> {
    const tokens: Tokens = { ids: [], starts: [], ends: [], words: [], added: [] };
    const source = unchanged(text);
    for (const section of splitRaw(text)) {
      if (isEnough(tokens, options)) break;
      if (options.effort.isDue(1)) yield;
      if (section.id !== undefined) addToken(tokens, section.id, { of: source, ...section });
      else if (section.start < section.end) {
        const normal = yield* normalized(sliced({ of: source, ...section }), options);
        for (const part of splitNormal(normal.text))
          if (part.id !== undefined) addToken(tokens, part.id, { of: normal, ...part });
          else if (part.start < part.end)
            yield* encodeWords([{ of: normal, ...part }], {
              ...options,
              tokens,
              isFirst: normal.starts[part.start] === 0,
              depth: 0,
            });
      }
    }
    return tokens;
  };

  function* normalized(text: Aligned, options: AlignedOptions): Parts<Aligned> {
    const { effort, mostCharacters, budget } = options;
    let [made, longest] = [text, text.text.length];
    for (const step of normalizers) {
      if (effort.isDue(made.text.length)) yield;
      const next = step(made, effort);
      made = "next" in next ? yield* next : next;
      if (made.text.length > mostCharacters)
        throw new RangeError(
          `must have at most ${mostCharacters} characters when it is normalised for the model, has ${made.text.length}`,
        );
      if (made.text.length > longest) {
        budget.takeCharacters(made.text.length - longest);
        longest = made.text.length;
      }
    }
    return made;
  }

  /** Takes words through the pre-tokenizers, from number `depth` on, and then through the model. */
  function* encodeWords(
    words: readonly Part[],
    options: AlignedOptions & { tokens: Tokens; isFirst: boolean; depth: number },
  ): Parts<void> {
    const { effort, tokens, depth } = options;
    const cut = cuts[depth];
    let { isFirst } = options;
    for (const word of words) {
      if (isEnough(tokens, options)) return;
      if (effort.isDue(word.end - word.start + 1)) yield;
      if (cut)
        yield* encodeWords(cut(word, placeOf(isFirst)), { ...options, isFirst, depth: depth + 1 });
      else yield* encodeWord(word, tokens);
      isFirst = false;
    }
  }

  function* encodeWord({ of, start, end }: Part, tokens: Tokens): Parts<void> {
    const spans: number[] = [];
    const before = tokens.ids.length;
    const later = model.encode(of.text.slice(start, end), tokens.ids, spans);
    if (later) yield* later;
    const word = nextWord(tokens);
    for (let at = before; at < tokens.ids.length; at++) {
      const [from, to] = [spans[2 * (at - before)]!, spans[2 * (at - before) + 1]!];
      addPlace(tokens, word, { of, start: start + from, end: start + to });
      tokens.added.push(undefined);
    }
  }
}

function isEnough({ ids }: Tokens, { enough = Infinity }: AlignedOptions): boolean {
  return ids.length >= enough;
}

function addToken(tokens: Tokens, id: number, part: Part): void {
  tokens.ids.push(id);
  addPlace(tokens, nextWord(tokens), part);
  tokens.added.push(part.of.text.slice(part.start, part.end));
}

function addPlace({ starts, ends, words }: Tokens, word: number, { of, start, end }: Part): void {
  starts.push(of.starts[start] ?? 0);
  ends.push(of.ends[end - 1] ?? 0);
  words.push(word);
}

function nextWord({ words }: Tokens): number {
  return (words.at(-1) ?? -1) + 1;
}
