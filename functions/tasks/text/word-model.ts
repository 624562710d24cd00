import * as z from "zod";
import type { Parts } from "../define.ts";

/** Cuts the words that a pre-tokenizer made into tokens. All take time in proportion to a word's length, or little more. */
export interface WordModel {
  /** Appends the ids of a word's tokens. A short word is done at once, a long one in parts. */
  encode(word: string, ids: number[]): Parts<void> | undefined;
  /** The id of a token by its text. */
  idOf(token: string): number | undefined;
}

/** Ids by token. Zod would take as long for the entries of a large one as all the rest of a cold start. */
export const vocabularySchema = z.custom<Record<string, number>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "must be an object of ids by token",
);

/** The code points of a word: fewer than its UTF-16 units where some have two. */
export function codePointsOf(word: string): Int32Array {
  const points = new Int32Array(word.length);
  let length = 0;
  for (let at = 0; at < word.length; at++) {
    const point = word.codePointAt(at)!;
    if (point > 0xffff) at++;
    points[length++] = point;
  }
  return points.subarray(0, length);
}
