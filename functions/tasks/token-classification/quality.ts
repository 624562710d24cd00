import type { Quality } from "../define.ts";
import type { Entity } from "./entities.ts";

/** An entity in the data: its label, and its characters from `start` to `end`. */
interface Truth {
  entity_group: string;
  start: number;
  end: number;
}

/** Precision, recall and F1 of whole entities: label and both ends must be right. */
export function entityQuality(labels: readonly string[]): Quality {
  const known = new Set(labels.map((label) => label.replace(/^[^-]*-/, "")));
  return {
    parameters: { aggregation_strategy: "simple" },
    problemWith(truth) {
      if (!Array.isArray(truth) || !truth.every(isTruth))
        return "must be an array of objects with entity_group, start and end";
      const other = truth.find(({ entity_group: label }) => !known.has(label));
      return other && `the model has no entity ${JSON.stringify(other.entity_group)}`;
    },
    metrics(truths, answers) {
      let [right, wanted, given] = [0, 0, 0];
      for (const [row, truth] of truths.entries()) {
        const keys = new Set((truth as Truth[]).map(keyOf));
        const entities = answers[row] as Entity[];
        wanted += keys.size;
        given += entities.length;
        right += entities.filter((one) => keys.has(keyOf(one))).length;
      }
      return {
        f1: wanted + given === 0 ? 1 : (2 * right) / (wanted + given),
        precision: given === 0 ? 0 : right / given,
        recall: wanted === 0 ? 0 : right / wanted,
      };
    },
  };
}

function isTruth(value: unknown): value is Truth {
  const { entity_group: label, start, end } = (value ?? {}) as Partial<Truth>;
  return typeof label === "string" && typeof start === "number" && typeof end === "number";
}

function keyOf({ entity_group: label, start, end }: Entity | Truth): string {
  return `${start} ${end} ${label}`;
}
