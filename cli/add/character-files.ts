import * as z from "zod";
import { readText } from "../read-text.ts";
import { readLabels } from "./given-files.ts";

const vocabulary = z.record(z.string().min(1), z.number().int().min(0));

/**
 * Reads characters in the order of their classes: a line for each, which may be a space; all on one line; a tokenizer's
 * vocabulary, where each has its number; or JSON as {@link readLabels} takes it. Throws an Error that says what is wrong.
 */
export async function readCharacters(path: string): Promise<string[]> {
  const text = await readText(path);
  const characters = (await charactersOfJson(text, path)) ?? charactersOfLines(text);
  const bad = characters.findIndex((one) => one === "" || /[\r\n]/.test(one));
  if (bad >= 0)
    throw new Error(`${path}: character ${bad + 1} is ${JSON.stringify(characters[bad])}.`);
  return characters;
}

function charactersOfLines(text: string): string[] {
  const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
  const [line = ""] = lines;
  return lines.length === 1 ? Array.from(line) : lines;
}

/** Undefined for a text that is no JSON. */
async function charactersOfJson(text: string, path: string): Promise<string[] | undefined> {
  if (!/^\s*[[{]\s*["\]}]/.test(text)) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { model } = json as { model?: { vocab?: unknown } };
  const { data } = vocabulary.safeParse(model?.vocab ?? json);
  if (!data) return readLabels(path);
  const entries = Object.entries(data).toSorted(([, one], [, other]) => one - other);
  const wrong = entries.findIndex(([, id], at) => id !== at);
  if (wrong >= 0)
    throw new Error(`${path} has ${entries.length} tokens, but none with the number ${wrong}.`);
  return entries.map(([character]) => character);
}
