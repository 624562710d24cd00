import type { Quality } from "../define.ts";
import { similarityQuality } from "../sentence-similarity/quality.ts";
import type { TextOptions } from "../text/options.ts";
import type { VectorForm } from "./forms.ts";
import { placeOf, retrievalMetrics, similarity, type Vector } from "./retrieval.ts";

/** A text, and how alike it is to the input. */
interface Scored {
  text: string;
  score: number;
}

/**
 * How well vectors find texts. A label in the data is the text that should be found among all texts of the labels and
 * those of rows without one; or a text with a score, whose order the cosines should have.
 */
export function vectorQuality(
  k: number,
  { prompts = {} }: Partial<TextOptions> = {},
  { precision }: VectorForm = {},
): Quality {
  return {
    // As encode_query and encode_document of sentence-transformers choose them.
    parameters: promptOf(prompts, ["query"]),
    target: textOf,
    searched: (truths, targets) => (truths.every(isScored) ? undefined : targets),
    targetParameters: promptOf(prompts, ["document", "passage", "corpus"]),
    problemWith: (truth) =>
      isScored(truth) || (typeof truth === "string" && truth !== "")
        ? undefined
        : 'must be the text that the input should find, or {"text": …, "score": …}',
    metrics(truths, answers, targets = new Map()) {
      const vectorOf = (truth: unknown) => targets.get(textOf(truth)) as Vector;
      const near = (row: number, vector: unknown) =>
        similarity(answers[row] as Vector, vector as Vector, precision);
      const scored = truths.filter(isScored);
      if (scored.length === truths.length)
        return similarityQuality.metrics(
          scored.map(({ score }) => score),
          scored.map((truth, row) => [near(row, vectorOf(truth))]),
        );
      if (scored.length > 0)
        throw new Error(
          "Some labels have a score, and others have none: they cannot be judged together.",
        );
      const places = truths.map((truth, row) =>
        placeOf(
          targets,
          ([text]) => text === truth,
          ([, vector]) => near(row, vector),
        ),
      );
      return retrievalMetrics(places, k);
    },
  };
}

/** The text that a label or an input has. A pair of texts stays as it is. */
function textOf(named: unknown): unknown {
  const { text, text_pair: pair } = (named ?? {}) as { text?: unknown; text_pair?: unknown };
  return typeof text === "string" && pair === undefined ? text : named;
}

function isScored(truth: unknown): truth is Scored {
  const { text, score } = (truth ?? {}) as Partial<Scored>;
  return typeof text === "string" && text !== "" && Number.isFinite(score);
}

function promptOf(prompts: Record<string, string>, names: readonly string[]) {
  const name = names.find((one) => Object.hasOwn(prompts, one));
  return name === undefined ? {} : { prompt_name: name };
}
