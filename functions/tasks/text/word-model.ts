import * as z from "zod";
import type { Parts } from "../define.ts";

/** Cuts a pre-tokenizer's words into tokens. The time grows with a word's length, or little faster. */
export interface WordModel {
  /**
   * Appends the ids of a word's tokens. A short word is done at once, a long one in parts. Where asked, appends where
   * each token starts and ends in the word, in UTF-16 units.
   */
  encode(word: string, ids: number[], spans?: number[]): Parts<void> | undefined;
  /** The id of a token by its text. */
  idOf(token: string): number | undefined;
}

/**
 * Ids by token. Its entries are not checked: with a large vocabulary, zod would take as long for them as all the rest
 * of a cold start.
 */
export const vocabularySchema = z.custom<Record<string, number>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "must be an object of ids by token",
);
