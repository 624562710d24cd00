import type { Quantity } from "../define.ts";
import { mulberry32 } from "../tensor/seeded.ts";

/** How many directions show a shift: each sees a part of it. */
const DIRECTIONS = 8;
const SEED = 20_261;

/**
 * Vectors along a few random directions, which never change. The numbers of a direction are 1 and -1, over the root of
 * their count. `size`: the numbers of a vector, or -1 where that is not known. None for answers that are a vector for each
 * token, and for vectors in another form than the model's own.
 */
export function vectorQuantities(size: number): Quantity[] {
  return Array.from({ length: DIRECTIONS }, (_, index) => {
    const random = mulberry32(SEED + index);
    const signs: number[] = [];
    return {
      name: `prediction.projection_${index + 1}`,
      of: "prediction",
      kind: "number",
      each({ answers = [] }, take) {
        for (const answer of answers) {
          const vector = answer as readonly number[];
          if (typeof vector[0] !== "number") return;
          if (size >= 0 && vector.length !== size) return;
          // In whole numbers: int8 or uint8.
          if (vector[0] !== 0 && vector.every(Number.isInteger)) return;
          while (signs.length < vector.length) signs.push(random() < 0.5 ? -1 : 1);
          let sum = 0;
          for (let at = 0; at < vector.length; at++) sum += (vector[at] ?? 0) * (signs[at] ?? 0);
          take(sum / Math.sqrt(vector.length));
        }
      },
    };
  });
}
