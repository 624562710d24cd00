import type { TokenClassificationParameters } from "./options.ts";

/** A token with its scores by label. */
export interface ScoredToken {
  word: string;
  scores: ArrayLike<number>;
  start: number;
  end: number;
  /** Its number within the tokens that the graph got. */
  index: number;
  isSubword: boolean;
}

/** A part of the text with a label. `start` and `end` count Unicode characters, as Python does. */
export interface Entity {
  /** The label of tokens that were joined, without `B-` and `I-`. */
  entity_group?: string;
  /** The label of a single token. */
  entity?: string;
  score: number;
  index?: number;
  word: string;
  start: number;
  end: number;
}

interface Labelled {
  entity: string;
  score: number;
  index?: number;
  word: string;
  start: number;
  end: number;
}

type Strategy = TokenClassificationParameters["aggregation_strategy"];
type Join = (words: readonly string[]) => string;

/** Entities as transformers' token classification pipeline makes them. */
export function entitiesOf(
  tokens: readonly ScoredToken[],
  labels: readonly string[],
  { strategy, ignored, join }: { strategy: Strategy; ignored: readonly string[]; join: Join },
): Entity[] {
  const labelled: Labelled[] =
    strategy === "none" || strategy === "simple"
      ? tokens.map(({ word, scores, start, end, index }) => {
          const best = highest(scores);
          return { entity: labels[best] ?? "", score: scores[best] ?? 0, index, word, start, end };
        })
      : wordsOf(tokens).map((word) => labelWord(word, labels, strategy, join));
  const entities: Entity[] = strategy === "none" ? labelled : groupsOf(labelled, join);
  return entities.filter(
    ({ entity, entity_group }) => !ignored.includes(entity ?? entity_group ?? ""),
  );
}

/** Entities of parts of one text: of those that overlap the longest stays, or the one with the highest score. */
export function withoutOverlaps(entities: readonly Entity[]): Entity[] {
  const sorted = entities.toSorted((a, b) => a.start - b.start);
  const kept: Entity[] = [];
  let last = sorted[0];
  if (!last) return kept;
  for (const one of sorted)
    if (last.start <= one.start && one.start < last.end) {
      const [length, longest] = [one.end - one.start, last.end - last.start];
      if (length > longest || (length === longest && one.score > last.score)) last = one;
    } else {
      kept.push(last);
      last = one;
    }
  return [...kept, last];
}

function wordsOf(tokens: readonly ScoredToken[]): ScoredToken[][] {
  const words: ScoredToken[][] = [];
  for (const token of tokens) {
    const word = words.at(-1);
    if (word && token.isSubword) word.push(token);
    else words.push([token]);
  }
  return words;
}

function labelWord(
  tokens: readonly ScoredToken[],
  labels: readonly string[],
  strategy: Exclude<Strategy, "none" | "simple">,
  join: Join,
): Labelled {
  const scores = SCORES[strategy](tokens);
  const best = highest(scores);
  return {
    entity: labels[best] ?? "",
    score: scores[best] ?? 0,
    word: join(tokens.map(({ word }) => word)),
    start: tokens[0]?.start ?? 0,
    end: tokens.at(-1)?.end ?? 0,
  };
}

const SCORES = {
  first: (tokens: readonly ScoredToken[]): ArrayLike<number> => tokens[0]?.scores ?? [],
  max: (tokens: readonly ScoredToken[]) =>
    tokens
      .map(({ scores }) => scores)
      .reduce((best, one) => ((one[highest(one)] ?? 0) > (best[highest(best)] ?? 0) ? one : best)),
  average: (tokens: readonly ScoredToken[]) =>
    Array.from(tokens[0]?.scores ?? [], (_, label) =>
      mean(tokens.map(({ scores }) => scores[label] ?? 0)),
    ),
};

function groupsOf(labelled: readonly Labelled[], join: Join): Entity[] {
  const groups: Labelled[][] = [];
  for (const one of labelled) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    const continues =
      last && !one.entity.startsWith("B-") && tagOf(one.entity) === tagOf(last.entity);
    if (group && continues) group.push(one);
    else groups.push([one]);
  }
  return groups.map((group) => ({
    // Behind the first hyphen, whatever stands before it, as in transformers.
    entity_group: group[0]?.entity.replace(/^[^-]*-/, "") ?? "",
    score: mean(group.map(({ score }) => score)),
    word: join(group.map(({ word }) => word)),
    start: group[0]?.start ?? 0,
    end: group.at(-1)?.end ?? 0,
  }));
}

function tagOf(label: string): string {
  return label.replace(/^[BI]-/, "");
}

function highest(values: ArrayLike<number>): number {
  let best = 0;
  for (let at = 1; at < values.length; at++) if (values[at]! > values[best]!) best = at;
  return best;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
