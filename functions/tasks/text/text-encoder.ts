import type { Tokenizer } from "@huggingface/tokenizers";
import type { Parts } from "../define.ts";
import type { TextBudget } from "../text-budget.ts";
import { addedTokenSplitters, type ListedToken } from "./added-tokens.ts";
import type { Effort } from "./effort.ts";
import type { Normalizer, Place, PreTokenizer } from "./library-steps.ts";
import { normalizersOf } from "./normalizers.ts";
import { preTokenizersOf } from "./pre-tokenizers.ts";
import type { WordModel } from "./word-model.ts";

export interface EncodeOptions {
  /** Work may end when there are this many ids. */
  enough: number;
  /** The most characters of the normalised text. */
  mostCharacters: number;
  /** Gets the characters that a text gains when it is normalised. */
  budget: Pick<TextBudget, "takeCharacters">;
  effort: Effort;
}

/**
 * Turns a text into ids, without special tokens, in parts. Throws a RangeError whose message continues the input's
 * name.
 */
export type EncodeText = (text: string, options: EncodeOptions) => Parts<number[]>;

/** The parts of a tokenizer. */
export interface Steps {
  normalizer: Tokenizer["normalizer"];
  preTokenizer: Tokenizer["pre_tokenizer"];
  model: WordModel;
  added: readonly ListedToken[];
}

/**
 * Does the work of the library's `encode`, with its steps, but piece by piece. A long text then does not block the
 * process, and text after `enough` ids costs nothing.
 */
export function textEncoder({ normalizer, preTokenizer, model, added }: Steps): EncodeText {
  const normalizers = normalizersOf(normalizer as Normalizer | null);
  const preTokenizers = preTokenizersOf(preTokenizer as PreTokenizer | null);
  const { splitRaw, splitNormal } = addedTokenSplitters(added, normalizer);
  const marksFirst = marksFirstWord(preTokenizer as PreTokenizer | null);

  return function* encode(text, options) {
    const ids: number[] = [];
    for (const [index, { id, start, end }] of splitRaw(text).entries()) {
      if (options.effort.isDue(1)) yield;
      if (id !== undefined) ids.push(id);
      else if (start < end) {
        const normal = yield* normalized(text.slice(start, end), options);
        for (const part of splitNormal(normal)) {
          const word = normal.slice(part.start, part.end);
          if (part.id !== undefined) ids.push(part.id);
          else if (word !== "") {
            const isFirst =
              marksFirst && index === 0 && part.start === 0 && (yield* keepsFirst(text, options));
            yield* encodeWords([word], { ...options, ids, isFirst, depth: 0 });
          }
          if (ids.length >= options.enough) break;
        }
      }
      if (ids.length >= options.enough) break;
    }
    return ids;
  };

  function* normalized(text: string, options: EncodeOptions): Parts<string> {
    const { effort, mostCharacters, budget } = options;
    let [made, longest] = [text, text.length];
    for (const step of normalizers) {
      if (effort.isDue(made.length)) yield;
      const changed = step(made, effort);
      made = typeof changed === "string" ? changed : yield* changed;
      if (made.length > mostCharacters)
        throw new RangeError(
          `must have at most ${mostCharacters} characters when it is normalised for the model, has ${made.length}`,
        );
      if (made.length > longest) {
        budget.takeCharacters(made.length - longest);
        longest = made.length;
      }
    }
    return made;
  }

  /** Whether the first character is still there after the normalizers. */
  function* keepsFirst(text: string, options: EncodeOptions): Parts<boolean> {
    const [first = ""] = text;
    return (yield* normalized(first, options)) !== "";
  }

  /** Takes words through the pre-tokenizers, from number `depth` on, and then through the model. */
  function* encodeWords(
    words: readonly string[],
    options: EncodeOptions & { ids: number[]; isFirst: boolean; depth: number },
  ): Parts<void> {
    const { effort, enough, ids, depth } = options;
    const step = preTokenizers[depth];
    let { isFirst } = options;
    for (const { chunk, characters } of chunksOf(words)) {
      if (effort.isDue(characters)) yield;
      if (step) {
        const parts = chunk.flatMap((word, at) => step(word, placeOf(isFirst && at === 0)));
        yield* encodeWords(parts, { ...options, isFirst, depth: depth + 1 });
        isFirst = false;
      } else
        for (const word of chunk) {
          const later = model.encode(word, ids);
          if (later) yield* later;
          if (ids.length >= enough) return;
        }
      if (ids.length >= enough) return;
    }
  }
}

/** Whether a step marks the word with which the text begins, and no other. */
function marksFirstWord(step: PreTokenizer | null): boolean {
  return step?.prepend_scheme === "first" || (step?.tokenizers ?? []).some(marksFirstWord);
}

/** The place of a word: whether the text begins with it. */
export function placeOf(isFirst: boolean): Place {
  return { section_index: isFirst ? 0 : 1 };
}

const CHUNK_CHARACTERS = 2048;

/** Words in groups that take about the same time. */
function* chunksOf(words: readonly string[]) {
  for (let start = 0; start < words.length;) {
    let [end, characters] = [start, 0];
    while (end < words.length && characters < CHUNK_CHARACTERS)
      characters += (words[end++]?.length ?? 0) + 1;
    yield { chunk: words.slice(start, end), characters };
    start = end;
  }
}
