import type { Manifest } from "../../model/manifest.ts";
import type { ModelVersion } from "../../model/registry.ts";
import type { Run, Seen } from "../../tasks/define.ts";
import { elementCount, viewOfRows } from "../../tensor.ts";
import { toJsonData } from "../../wire/json-tensor.ts";
import { Copying, MOST_VALUE, writeMembers, type Rules } from "./copying.ts";

/** What is kept of one input. */
export interface Content {
  row: number;
  /** Whose data the input says it is. */
  subject: string | undefined;
  /** The members `input`, `tensors` and `output`, as JSON without braces. */
  json: string;
}

/** The most inputs of a call that are kept. */
const MOST_ROWS = 100;

/** What is kept of a call's inputs and answers. The bounds of {@link Copying} hold for all of them together. */
export function contentOf(version: ModelVersion, seen: Seen): Content[] {
  const { manifest } = version;
  const copying = new Copying();
  const rules = rulesOf(manifest);
  // The answers repeat the labels of the request.
  const answerRules = rules.names.has("candidate_labels") ? LABELS_HIDDEN : NOTHING_HIDDEN;
  const rows = seen.inputs ?? rowsOfFeeds(version, seen.runs);
  if (!rows) return contentOfTensors(version, seen, rules, copying);
  return rows.slice(0, MOST_ROWS).map((given, row) => {
    const named = withNames(manifest, given);
    return {
      row,
      subject: subjectIn(manifest, named),
      json: writeMembers({
        input: isHidden(version, named, rules) ? null : copying.copy(named, rules),
        output: copying.copy(seen.answers?.[row], answerRules),
        ...(seen.featuresOf && { features: copying.copy(seen.featuresOf(row), rules) }),
      }),
    };
  });
}

const NOTHING_HIDDEN: Rules = { names: new Set(), patterns: [] };
const LABELS_HIDDEN: Rules = { names: new Set(["label"]), patterns: [] };

function rulesOf({ capture }: Manifest): Rules {
  return { names: new Set(capture?.redact), patterns: capture?.redactPatterns ?? [] };
}

/** A tabular row becomes an object of its features. A text without a name stays one. */
function withNames({ features }: Manifest, given: unknown): unknown {
  if (!features || !Array.isArray(given)) return given;
  return Object.fromEntries(features.map(({ name }, column) => [name, given[column]]));
}

/** Whether nothing of an input may be kept: it has no names, and the manifest redacts the only one that it could have. */
function isHidden({ task }: ModelVersion, input: unknown, { names }: Rules): boolean {
  if (typeof input === "object" && input !== null && !(input instanceof Uint8Array))
    return Array.isArray(input) && names.size > 0;
  return names.has(task.input) || (task.input === "json" && names.size > 0);
}

function subjectIn({ capture }: Manifest, input: unknown): string | undefined {
  if (capture?.subject === undefined || typeof input !== "object" || input === null)
    return undefined;
  const found = (input as Record<string, unknown>)[capture.subject];
  return typeof found === "string" || typeof found === "number" ? String(found) : undefined;
}

/** The rows that a table's tensors hold. Undefined for other tasks, and for tensors without all features. */
function rowsOfFeeds(
  { manifest: { features }, compiled: { quantities = [] } }: ModelVersion,
  runs: Seen["runs"],
): unknown[] | undefined {
  if (!features) return undefined;
  const first = runs.slice(0, MOST_ROWS).map(firstRows);
  const count = first.reduce((sum, { rows }) => sum + rows, 0);
  const rows = Array.from({ length: count }, (): [string, unknown][] => []);
  for (const { name } of features) {
    const quantity = quantities.find((one) => one.name === name && one.of === "input");
    let at = 0;
    quantity?.each({ inputs: undefined, runs: first, answers: undefined }, (value) => {
      rows[at]?.push([name, value ?? null]);
      at += 1;
    });
    if (at !== count) return undefined;
  }
  return rows.map((entries) => Object.fromEntries(entries));
}

/** Many rows would take as long as an answer. */
function firstRows({ feeds, rows }: Seen["runs"][number]): Seen["runs"][number] {
  if (rows <= MOST_ROWS) return { feeds, rows };
  const shown = Object.entries(feeds).map(
    ([name, tensor]) => [name, viewOfRows(tensor, 0, MOST_ROWS)] as const,
  );
  return { feeds: Object.fromEntries(shown), rows: MOST_ROWS };
}

/** A line for each run. */
function contentOfTensors(
  { manifest, task }: ModelVersion,
  { runs, answers }: Seen,
  { names, patterns }: Rules,
  copying: Copying,
): Content[] {
  const known = new Set(manifest.inputs.map(({ name }) => name));
  // What is redacted, but for tensors by their names, could be anywhere in them.
  const isHidden = patterns.length > 0 || [...names].some((name) => !known.has(name));
  let row = 0;
  return runs.slice(0, MOST_ROWS).map((run, index) => {
    const own = task.input === "tensors" ? answers?.[index] : answers?.slice(row, row + run.rows);
    const tensors = isHidden ? null : copying.copy(describedFeeds(run, names), NOTHING_HIDDEN);
    const output = copying.copy(own, NOTHING_HIDDEN);
    const members =
      task.input === "tensors" ? { input: tensors, output } : { input: null, tensors, output };
    const made = { row, subject: undefined, json: writeMembers(members) };
    row += run.rows;
    return made;
  });
}

/** Tensors as the task `tensor` reads them from JSON. Undefined where they are too large. */
function describedFeeds({ feeds }: Pick<Run, "feeds">, hidden: ReadonlySet<string>): unknown {
  const shown = Object.entries(feeds).filter(([name]) => !hidden.has(name));
  const elements = shown.reduce((sum, [, { shape }]) => sum + elementCount(shape), 0);
  if (elements > MOST_VALUE) return undefined;
  return Object.fromEntries(
    shown.map(([name, tensor]) => {
      const { datatype, shape } = tensor;
      return [name, { datatype, shape, data: toJsonData(tensor) }];
    }),
  );
}
