import type { TextWindow } from "../text/aligned/windowed.ts";
import { characters } from "../text/aligned/characters.ts";
import type { QuestionAnsweringParameters } from "./options.ts";

/** A part of the context that answers the question. `start` and `end` count Unicode characters, as Python does. */
export interface Answer {
  score: number;
  start: number;
  end: number;
  answer: string;
}

/** The best answers of a window, and the score of having none. */
export interface WindowAnswers {
  answers: Answer[];
  none: number;
}

/** A span of tokens, the last one included. */
interface Span {
  score: number;
  first: number;
  last: number;
}

type Numbers = ArrayLike<number>;

/** The answers of one window as transformers' question answering pipeline finds them. */
export function answersIn(
  { window, text }: TextWindow,
  [starts, ends]: readonly [Numbers, Numbers],
  classId: number | undefined,
  { top_k: topK, max_answer_len: longest, align_to_words: aligns }: QuestionAnsweringParameters,
): WindowAnswers {
  const { sequences, input_ids: ids, words } = window;
  const isContext = sequences.map((sequence) => sequence === 1);
  const counts = isContext.map((own, at) => own || ids[at] === classId);
  const [first, last] = [scoresOf(starts, counts), scoresOf(ends, counts)];
  // The pipeline looks at more than it answers with: some become the same words.
  const spans = bestSpans([first, last], isContext, {
    longest,
    most: aligns ? 2 * topK + 10 : topK,
  });
  const part = characters(text);
  const edge = (at: number, step: 1 | -1) => {
    let end = at;
    if (!aligns) return end;
    while (isContext[end + step] && words[end + step] === words[at]) end += step;
    return end;
  };
  return {
    none: (first[0] ?? 0) * (last[0] ?? 0),
    answers: spans.map((span) => {
      const start = window.starts[edge(span.first, -1)] ?? 0;
      const end = window.ends[edge(span.last, 1)] ?? 0;
      return { score: span.score, start, end, answer: part(start, end) };
    }),
  };
}

/** The best of the answers of all windows of a context. The same words are one answer, whose scores add up. */
export function bestAnswers(
  windows: readonly WindowAnswers[],
  { top_k: topK, handle_impossible_answer: mayBeNone }: QuestionAnsweringParameters,
): Answer[] {
  const byWords = new Map<string, Answer>();
  for (const { answers } of windows)
    for (const one of answers) {
      const key = one.answer.toLowerCase();
      const known = byWords.get(key);
      if (known) known.score += one.score;
      else byWords.set(key, { ...one });
    }
  const all = [...byWords.values()];
  if (mayBeNone) {
    const score = windows.reduce((least, { none }) => Math.min(least, none), 1);
    all.push({ score, start: 0, end: 0, answer: "" });
  }
  return all.toSorted((a, b) => b.score - a.score).slice(0, topK);
}

/** A softmax of the numbers that count. The others are 0. */
function scoresOf(values: Numbers, counts: readonly boolean[]): Float64Array {
  let highest = -Infinity;
  for (const [at, isCounted] of counts.entries())
    if (isCounted) highest = Math.max(highest, values[at]!);
  const powers = Float64Array.from(counts, (isCounted, at) =>
    isCounted ? Math.exp(values[at]! - highest) : 0,
  );
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** The spans with the highest scores, best first. */
function bestSpans(
  [starts, ends]: readonly [Float64Array, Float64Array],
  isContext: readonly boolean[],
  { longest, most }: { longest: number; most: number },
): Span[] {
  const highestEnd = ends.reduce((highest, score) => Math.max(highest, score), 0);
  let spans: Span[] = [];
  let least = 0;
  const keepBest = () => {
    spans = spans.sort((a, b) => b.score - a.score).slice(0, most);
    if (spans.length === most) least = spans.at(-1)?.score ?? 0;
  };
  for (let first = 0; first < isContext.length; first++) {
    // No span that begins here can be among the best. Most places are left out by this.
    if (!isContext[first] || starts[first]! * highestEnd <= least) continue;
    const behind = Math.min(isContext.length, first + longest);
    for (let last = first; last < behind; last++) {
      const score = starts[first]! * ends[last]!;
      if (isContext[last] && score > least) spans.push({ score, first, last });
    }
    if (spans.length >= 4 * most) keepBest();
  }
  keepBest();
  return spans;
}
