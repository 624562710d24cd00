import Papa from "papaparse";
import { NearcastError } from "../errors.ts";
import type { FeatureStatus } from "../features/status.ts";
import type { RowError } from "../inputs/row.ts";
import type { Lookup } from "../model/feature-lookup.ts";
import { withSignedZeros } from "../wire/json.ts";
import { writeJson } from "../wire/raw-number.ts";
import type { RowAnswer } from "./answer-rows.ts";

/** Kinds of files with an output in each row. */
export const OUTPUT_FORMATS = ["jsonl", "csv"] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** An output as a line of JSONL. A row without one is `null`, so that lines of outputs are rows of inputs. */
export function outputLine(answer: RowAnswer): string {
  if (!("output" in answer)) return "null\n";
  const { output, features } = answer;
  const text = writeJson(withSignedZeros(output));
  return lineOf(text, features === undefined ? undefined : JSON.stringify(features));
}

/**
 * A line of an output, which is JSON already. Where its looked-up features are from is beside its own members. An output
 * without members, or with one of that name, becomes the member `output`.
 */
export function lineOf(output: string, features?: string): string {
  if (features === undefined) return `${output}\n`;
  const members = hasRoom(output) ? output.slice(1, -1) : `"output":${output}`;
  return `{${members}${members && ","}"features":${features}}\n`;
}

function hasRoom(output: string): boolean {
  if (!output.startsWith("{")) return false;
  return !output.includes('"features"') || !Object.hasOwn(JSON.parse(output) as object, "features");
}

/** The names of the features that a version looks up. */
export function lookedUpBy({ features }: Lookup): string[] {
  return features.map(({ name }) => name);
}

/** The error of a row as a line of JSONL. */
export function errorLine(line: number, error: RowError): string {
  return `${JSON.stringify({ line, ...error })}\n`;
}

const STATUS_PARTS = ["status", "reason", "ageSeconds"] as const;

/** Lines of CSV. A row without an output has empty cells. */
export interface CsvLines {
  /** The columns, once an output has shown them. */
  columns: readonly string[] | undefined;
  /** Rows that came before the first output. */
  waiting: number;
}

/**
 * Writes outputs as CSV, with a header. Members of an output are columns, `scores.setosa` for those of a member. The
 * first output shows the columns. Looked-up features have columns for each part of their statuses. Throws `conflict` for an
 * output of other members.
 */
export function csvLines(
  state: CsvLines,
  outputs: readonly unknown[],
  lookedUp: readonly string[] = [],
): string {
  const rows: unknown[][] = [];
  for (const output of outputs) {
    if (output === null || output === undefined) {
      if (state.columns) rows.push(state.columns.map(() => ""));
      else state.waiting += 1;
      continue;
    }
    const cells = new Map(cellsOfLine(output, lookedUp));
    if (!state.columns) {
      const columns = [...cells.keys()];
      state.columns = columns;
      rows.push(columns, ...Array.from({ length: state.waiting }, () => columns.map(() => "")));
    }
    const { columns } = state;
    const other = [...cells.keys()].find((name) => !columns.includes(name));
    if (other !== undefined)
      throw new NearcastError(
        "conflict",
        `The outputs have different members (${other}): CSV cannot hold them, JSONL can.`,
      );
    rows.push(columns.map((name) => cells.get(name) ?? ""));
  }
  if (rows.length === 0) return "";
  return `${Papa.unparse(rows, { newline: "\n" })}\n`;
}

function cellsOfLine(line: unknown, lookedUp: readonly string[]): [string, unknown][] {
  if (lookedUp.length === 0 || !isObject(line)) return cellsOf(line);
  const { features, ...own } = line as { features?: Record<string, FeatureStatus> };
  const statuses = lookedUp.flatMap((name) =>
    STATUS_PARTS.map((part): [string, unknown] => [
      `features.${name}.${part}`,
      features?.[name]?.[part] ?? "",
    ]),
  );
  return [...cellsOf(own), ...statuses];
}

function cellsOf(output: unknown): [string, unknown][] {
  if (!isObject(output)) return [["output", cellOf(output)]];
  return Object.entries(output).flatMap(([name, value]): [string, unknown][] =>
    isObject(value)
      ? Object.entries(value).map(([inner, one]) => [`${name}.${inner}`, cellOf(one)])
      : [[name, cellOf(value)]],
  );
}

function cellOf(value: unknown): unknown {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
