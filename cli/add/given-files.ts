import * as z from "zod";
import { readText } from "../read-text.ts";

const exampleSchema = z.strictObject({ input: z.unknown(), output: z.unknown() });
export type GivenExample = z.infer<typeof exampleSchema>;

/**
 * Reads inputs with the answers that their trainer saw: `{"input": …, "output": …}`, an array of these, or one on each
 * line. Throws an Error that says what is wrong.
 */
export async function readGivenExamples(path: string): Promise<GivenExample[]> {
  const text = await readText(path);
  const whole = parsed(text);
  const lines = whole === undefined ? text.split("\n").filter((line) => line.trim() !== "") : [];
  const rows = whole === undefined ? lines.map(parsed) : [whole].flat();
  if (rows.length === 0) throw new Error(`${path} has no example.`);
  return rows.map((row, index) => {
    const { data } = exampleSchema.safeParse(row);
    if (data?.input === undefined || data.output === undefined)
      throw new Error(`${path}, example ${index + 1}: it must be {"input": …, "output": …}.`);
    return data;
  });
}

const names = z.array(z.string().min(1)).min(1);
const byId = z.record(z.string().regex(/^\d+$/), z.string().min(1));

/**
 * Reads labels in the order of their numbers: a JSON array, an object of labels by number, such as `id2label` of a
 * `config.json`, or one on each line. Throws an Error that says what is wrong.
 */
export async function readLabels(path: string): Promise<string[]> {
  const text = await readText(path);
  const json = parsed(text);
  if (json === undefined || typeof json !== "object") return linesOf(text, path);
  const list = names.safeParse(json);
  if (list.success) return list.data;
  const { id2label = json } = json as { id2label?: unknown };
  const found = byId.safeParse(id2label);
  if (!found.success)
    throw new Error(
      `${path} has no labels: it may be a JSON array, an object such as {"0": "cat"}, a config.json with id2label, or a text with a label on each line.`,
    );
  const count = Object.keys(found.data).length;
  return Array.from({ length: count }, (_, id) => {
    const label = found.data[id];
    if (label === undefined)
      throw new Error(`${path} has ${count} labels, but none with the number ${id}.`);
    return label;
  });
}

function linesOf(text: string, path: string): string[] {
  const lines = text
    .trim()
    .split(/\r?\n/)
    .map((line) => line.trim());
  const empty = lines.indexOf("");
  if (empty >= 0) throw new Error(`${path}: line ${empty + 1} has no label.`);
  return lines;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
