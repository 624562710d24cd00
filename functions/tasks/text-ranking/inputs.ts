import type { InputIssue } from "../../errors.ts";
import type { Limits } from "../../model/limits.ts";

/** A query, and the texts to rank for it. */
export interface RankingInput {
  query: string;
  texts: string[];
}

/** One of the texts, as a row of a run. */
export interface RankedText {
  /** The number of its input in the request. */
  input: number;
  /** Its place among the input's texts. */
  index: number;
  query: string;
  text: string;
}

/**
 * Reads an input. The graph reads the query once for each text, so a long query with many texts is refused: together
 * they may have no more characters than a body may have bytes.
 */
export function readRanking(
  row: unknown,
  path: string,
  limits: Limits,
  issues: InputIssue[],
): RankingInput {
  const none = { query: "", texts: [] };
  const add = (at: string, message: string) => {
    issues.push({ path: at, message });
    return none;
  };
  if (typeof row !== "object" || row === null || Array.isArray(row))
    return add(path, "must be an object of query and texts");
  const { query, texts, ...others } = row as Record<string, unknown>;
  for (const name of Object.keys(others)) add(`${path}.${name}`, "is neither query nor texts");
  const problem = problemOf(query, limits);
  if (problem !== undefined) add(`${path}.query`, problem);
  if (!Array.isArray(texts) || texts.length === 0)
    return add(`${path}.texts`, "must be an array of at least one string");
  if (texts.length > limits.batch)
    return add(`${path}.texts`, `must have at most ${limits.batch} texts, has ${texts.length}`);
  for (const [index, text] of texts.entries()) {
    const message = problemOf(text, limits);
    if (message !== undefined) add(`${path}.texts[${index}]`, message);
  }
  if (typeof query !== "string") return none;
  const most = Math.floor(limits.bodyBytes / texts.length);
  if (query.length > most)
    return add(
      `${path}.query`,
      `must have at most ${most} characters for ${texts.length} texts, has ${query.length}`,
    );
  return { query, texts: texts as string[] };
}

function problemOf(text: unknown, { textLength }: Limits): string | undefined {
  if (typeof text !== "string") return "must be a string";
  if (text.length > textLength)
    return `must have at most ${textLength} characters, has ${text.length}`;
  return undefined;
}
