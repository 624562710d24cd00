import type { Place, PreTokenizer } from "../library-steps.ts";
import { bytesAsCharacters } from "../pre-tokenizers.ts";
import { eachCharacter, eachMatch, sliced, type Part } from "./aligned.ts";
import { prepended } from "./normalizers.ts";

/** Cuts a part of a text into words that keep their places. */
export type CutWords = (part: Part, place: Place) => Part[];

/**
 * The pre-tokenizers in order, with places. They make the same words as those without. Throws an Error for an unknown
 * one.
 */
export function alignedWords(step: PreTokenizer | null): CutWords[] {
  if (!step) return [];
  if (step.tokenizers) return step.tokenizers.flatMap(alignedWords);
  const { config = {}, pattern } = step;
  const { type = "", behavior = "", invert = false } = config;
  if (type === "Split" && pattern) {
    const keeps = {
      matches: invert || behavior !== "Removed",
      others: !invert,
    };
    return [(part) => split(part, pattern, keeps)];
  }
  if (type === "Replace" && pattern)
    return [
      (part) => [
        whole(
          eachMatch(sliced(part), pattern, (match) =>
            (config.content ?? "").replace("$&", () => match),
          ),
        ),
      ],
    ];
  if (type === "ByteLevel" && config.use_regex === false)
    return [
      (part) => {
        const source = sliced(part);
        const spaced =
          config.add_prefix_space && !source.text.startsWith(" ") ? prepended(source, " ") : source;
        return [whole(eachCharacter(spaced, bytesAsCharacters))];
      },
    ];
  if (step.prepend_scheme) return [metaspace(step)];
  throw new Error(
    `offsets are not supported behind the pre-tokenizer ${type || step.constructor.name}`,
  );
}

function whole(of: Part["of"]): Part {
  return { of, start: 0, end: of.text.length };
}

function split(
  { of, start, end }: Part,
  pattern: RegExp,
  keeps: { matches: boolean; others: boolean },
): Part[] {
  const parts: Part[] = [];
  const push = (from: number, to: number, isKept: boolean): void => {
    if (isKept && from < to) parts.push({ of, start: start + from, end: start + to });
  };
  const text = of.text.slice(start, end);
  let last = 0;
  for (const { 0: match, index } of text.matchAll(pattern)) {
    push(last, index, keeps.others);
    last = index + match.length;
    push(index, last, keeps.matches);
  }
  push(last, text.length, keeps.others);
  return parts;
}

/** Marks the spaces, and the beginning of the text where the step wants it. */
function metaspace({
  replacement = "▁",
  str_rep: mark = replacement,
  prepend_scheme: scheme,
}: PreTokenizer): CutWords {
  return (part, { section_index: index }) => {
    const marked = eachMatch(sliced(part), / /g, () => mark);
    const isPrefixed = scheme === "always" || (scheme === "first" && index === 0);
    return [
      whole(isPrefixed && !marked.text.startsWith(replacement) ? prepended(marked, mark) : marked),
    ];
  };
}
