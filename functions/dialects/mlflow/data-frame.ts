import * as z from "zod";
import { checkBody, invalidInput, NearcastError } from "../../errors.ts";
import { rowMembers } from "../../model/row-members.ts";
import type { ModelVersion } from "../../model/registry.ts";
import { listOfAny } from "../lists.ts";
import { checkRows, isObject, rowsOfFeatures } from "../rows.ts";

// Clients in Python write null for absent members.
export const invocationRequest = z.strictObject({
  dataframe_split: z
    .strictObject({
      columns: listOfAny({ type: ["string", "number"] }).nullish(),
      index: listOfAny().nullish(),
      data: listOfAny({ type: "array", items: {} }),
    })
    .nullish(),
  dataframe_records: listOfAny({ type: "object" }).nullish(),
  instances: listOfAny().nullish(),
  inputs: z.unknown().optional(),
  params: z.record(z.string(), z.unknown()).nullish(),
});

const FORMS = ["dataframe_split", "dataframe_records", "instances", "inputs"] as const;
const ONE_FORM =
  "The request needs exactly one of dataframe_split, dataframe_records, instances and inputs.";

/** No input of a task has more members, apart from features. */
const MOST_MEMBERS = 100;

/** The request's inputs: rows, or whole tensors. */
export type Invocation = { params?: Record<string, unknown> | undefined } & (
  | {
      rows: unknown[];
      /** For CSV: the line on which each row begins. */
      lines?: readonly number[];
    }
  | { columns: unknown }
);

/**
 * Reads one of MLflow's four JSON forms. A bare array counts as `instances`: SageMaker's `JSONSerializer` sends it so.
 * Throws `malformed_request` when the body has none of the forms or several, or `invalid_input`.
 */
export function readInvocation(json: unknown, version: ModelVersion): Invocation {
  if (isObject(json) && !FORMS.some((form) => Object.hasOwn(json, form))) throw noForm(json);
  const parsed = checkBody(invocationRequest, Array.isArray(json) ? { instances: json } : json);
  const { params: named, ...forms } = parsed;
  const params = named ?? undefined;
  const given = Object.values(forms).filter((form) => form !== undefined && form !== null);
  if (given.length !== 1) throw new NearcastError("malformed_request", ONE_FORM);
  if (forms.dataframe_split) {
    return { params, rows: rowsOfFrame(version, forms.dataframe_split) };
  }
  if (forms.dataframe_records) {
    return { params, rows: rowsOfRecords(version, forms.dataframe_records) };
  }
  if (forms.instances) return { params, rows: forms.instances };
  return { params, ...rowsOfInputs(version, forms.inputs) };
}

/** MLflow 1 sent a frame by itself, whose form the Content-Type named. */
function noForm(json: object): NearcastError {
  const found = Object.keys(json).join(", ").slice(0, 100) || "none";
  const hint = Object.hasOwn(json, "data")
    ? " A frame of columns and data belongs under dataframe_split."
    : "";
  return new NearcastError("malformed_request", `${ONE_FORM} It has ${found}.${hint}`);
}

function rowsOfRecords(version: ModelVersion, records: readonly unknown[]): unknown[] {
  checkRows(version, records);
  const odd = records.findIndex((record) => !isObject(record));
  if (odd >= 0)
    throw invalidInput([{ path: `dataframe_records.${odd}`, message: "must be an object" }]);
  const [column, ...others] = Object.keys(records[0] as object);
  const isValue = column !== undefined && others.length === 0 && takesValue(version, column);
  return records.map((record) => (isValue ? (record as Record<string, unknown>)[column] : record));
}

/** The rows of a frame: by name where columns have names, by position where they have numbers, or single values. */
function rowsOfFrame(version: ModelVersion, frame: { columns?: unknown; data: unknown[] }) {
  checkRows(version, frame.data);
  const [first] = frame.data;
  const given = Array.isArray(frame.columns) ? (frame.columns as unknown[]) : undefined;
  const width = given?.length ?? (Array.isArray(first) ? first.length : 0);
  frame.data.forEach((cells, index) => {
    const path = `row ${index}`;
    if (!Array.isArray(cells)) throw invalidInput([{ path, message: "must be an array" }]);
    if (cells.length !== width)
      throw invalidInput([
        { path, message: `has ${cells.length} cells, there are ${width} columns` },
      ]);
  });
  const data = frame.data as unknown[][];
  const columns = given?.map(nameOf);
  if (width === 1 && takesValue(version, columns?.[0])) return data.map(([cell]) => cell);
  const numbered = !columns || columns.every((name, index) => name === String(index));
  // A single tensor takes the whole frame, as in MLflow's own ONNX flavour.
  const isTensor = version.task.input === "tensors" && version.manifest.inputs.length === 1;
  if (numbered || isTensor) return data;
  checkColumns(version, columns);
  return data.map((cells) =>
    Object.fromEntries(columns.map((name, index) => [name, cells[index]])),
  );
}

function nameOf(name: unknown, index: number): string {
  if (typeof name === "string" || typeof name === "number") return String(name);
  const path = `dataframe_split.columns.${index}`;
  throw invalidInput([{ path, message: "must be a string or a number" }]);
}

/** Throws `invalid_input` for columns that no row can have, before any row is made. */
function checkColumns({ manifest, task }: ModelVersion, columns: readonly string[]): void {
  const { inputs } = manifest;
  const path = "dataframe_split.columns";
  const known = new Set([...rowMembers(manifest), ...inputs].map(({ name }) => name));
  const isKnown = (name: string) => known.has(name);
  const other = columns.find((name) => !isKnown(name));
  // For other tasks, only the task knows the members of inputs.
  if (task.input === "features" && other !== undefined)
    throw invalidInput([{ path, message: `have ${other}, which is not a feature of this model` }]);
  if (columns.length > known.size + MOST_MEMBERS)
    throw invalidInput([
      { path, message: `must be at most ${known.size + MOST_MEMBERS}, are ${columns.length}` },
    ]);
  const seen = new Set<string>();
  for (const name of columns) {
    if (seen.has(name)) throw invalidInput([{ path, message: `have ${name} twice` }]);
    seen.add(name);
  }
}

/** Turns columns by feature into rows. A list of a task's inputs is rows already. Anything else is tensors. */
function rowsOfInputs(
  version: ModelVersion,
  inputs: unknown,
): { rows: unknown[] } | { columns: unknown } {
  const { input } = version.task;
  if (input === "tensors") return { columns: inputs };
  if (Array.isArray(inputs)) return { rows: inputs };
  if (input !== "features" || !isObject(inputs)) return { columns: inputs };
  const rows = rowsOfFeatures(version, inputs, "inputs");
  if (rows) return { rows };
  const isRow = !Object.values(inputs).every(Array.isArray);
  return isRow ? { rows: [inputs] } : { columns: inputs };
}

/** Whether the only column holds the input itself instead of a member of it. */
function takesValue(version: ModelVersion, column: string | undefined): boolean {
  const { input } = version.task;
  if (input === "features") return false;
  return input !== "tensors" || version.manifest.inputs[0]?.name !== column;
}
