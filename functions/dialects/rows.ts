import { invalidInput } from "../errors.ts";
import { rowMembers } from "../model/row-members.ts";
import type { TensorInfo } from "../model/manifest.ts";
import type { InferInputs } from "../call.ts";
import type { ModelVersion } from "../model/registry.ts";
import { checkBatch } from "../predict.ts";
import { parseParameters, type InParts, type Parts, type Run } from "../tasks/define.ts";
import type { Tensor, Tensors } from "../tensor.ts";
import { base64Bytes } from "../wire/base64.ts";
import { TensorJson } from "../wire/json-pieces.ts";
import { fromNested, toNested } from "../wire/nested.ts";
import { decodeText } from "../wire/text.ts";

/**
 * Whether the row is for the model's task or for its graph. Rows of tensor models, rows that name the graph's inputs,
 * an image's pixels and a recording's samples are for the graph. Features may have the names of inputs, but features are single values and
 * inputs are arrays.
 */
export function isTaskRow({ task, manifest }: ModelVersion, row: unknown): boolean {
  if (task.input === "tensors") return false;
  if (namesInputs(manifest.inputs, row))
    return task.input === "features" && !Object.values(row).every(Array.isArray);
  return (task.input !== "image" && task.input !== "audio") || !Array.isArray(row);
}

/** Throws `invalid_input` for no rows, and for more than the model's limit, but for tensors whose rows are no batch. */
export function checkRows(
  { task, manifest, limits }: ModelVersion,
  rows: readonly unknown[],
): void {
  const isFree = task.input === "tensors" && manifest.batchDimension === null;
  checkBatch(rows, isFree ? Infinity : limits.batch);
}

/** Turns a row into a task's input. `{"b64": …}` holds the bytes of a file, or text. */
export function taskRow({ task }: ModelVersion, row: unknown, path: string): unknown {
  try {
    const bytes = base64Bytes(row);
    if (!bytes) return row;
    return task.input === "image" || task.input === "audio"
      ? bytes
      : decodeText(bytes, { what: path, remedy: "Encode the text as UTF-8 first." });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidInput([{ path, message: error.message }]);
  }
}

/** Where rows stand in a request, and how many bytes of it came. */
interface Origin {
  path: string;
  sentBytes: number | undefined;
}

/** Turns rows into runs. A row is a task's input, an object by input name, or the only input's value. */
export function runsOfRows(
  version: ModelVersion,
  rows: readonly unknown[],
  origin: Origin,
): InParts<InferInputs> {
  const { manifest } = version;
  const { path } = origin;
  if (isTaskRow(version, rows[0])) return runsOfTask(version, rows, origin);
  if (!namesInputs(manifest.inputs, rows[0]))
    return { runs: [{ feeds: feedsOfColumns(version, rows, path), rows: rows.length }] };
  rows.forEach((row, index) => {
    if (!namesInputs(manifest.inputs, row) || isTaskRow(version, row))
      throw invalidInput([
        { path: `${path}[${index}]`, message: "must have the same members as the first" },
      ]);
  });
  const column = ({ name, shape }: TensorInfo) => {
    const values = rows.map((row) => (row as Record<string, unknown>)[name]);
    // A table has a cell where the graph has a list of one.
    const isCell = shape.length === 2 && shape[1] === 1 && !values.some(Array.isArray);
    return isCell ? values.map((value) => [value]) : values;
  };
  return { runs: [{ feeds: named(version, column, path), rows: rows.length }] };
}

/**
 * Turns columns into runs. Columns are features by name, each an array with one value for each row, or whole tensors as
 * {@link feedsOfColumns} reads them.
 */
export function runsOfColumns(
  version: ModelVersion,
  columns: unknown,
  origin: Origin,
): InParts<InferInputs> {
  const { path } = origin;
  const rows = rowsOfFeatures(version, columns, path);
  if (!rows) return { runs: [{ feeds: feedsOfColumns(version, columns, path), rows: 1 }] };
  return runsOfTask(version, rows, origin);
}

/**
 * Turns a tabular model's columns by name, with single values, into rows. Undefined for anything else. Throws
 * `invalid_input` for a column that is not a feature, for more rows than the model's limit, and for columns that differ
 * in length: the shorter ones would seem to have missing values.
 */
export function rowsOfFeatures(
  { task, limits, manifest }: ModelVersion,
  columns: unknown,
  path: string,
): object[] | undefined {
  if (task.input !== "features" || !isObject(columns)) return undefined;
  const { inputs } = manifest;
  const names = new Set(rowMembers(manifest).map(({ name }) => name));
  const isFeature = (name: string) => names.has(name);
  if (namesInputs(inputs, columns) && !inputs.every(({ name }) => isFeature(name)))
    return undefined;
  const named = Object.entries(columns);
  const [first] = named;
  if (!first || !named.every(([, values]) => isFlat(values))) return undefined;
  const other = named.find(([name]) => !isFeature(name));
  if (other)
    throw invalidInput([
      { path: `${path}.${other[0]}`, message: "is not a feature of this model" },
    ]);
  const count = lengthOf(first[1]);
  for (const [name, values] of named)
    if (lengthOf(values) !== count)
      throw invalidInput([
        {
          path: `${path}.${name}`,
          message: `has ${lengthOf(values)} values, ${path}.${first[0]} has ${count}`,
        },
      ]);
  checkBatch(first[1] as unknown[], limits.batch, path);
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(named.map(([name, values]) => [name, (values as unknown[])[row]])),
  );
}

function runsOfTask(
  version: ModelVersion,
  rows: readonly unknown[],
  { path, sentBytes }: Origin,
): InParts<InferInputs> {
  // Their runs have no output for each row, and need parameters.
  if (version.task.hasOwnBatches)
    throw invalidInput([
      {
        path,
        message: `must be tensors by name here: inputs of the task ${version.task.name} are for /v1/models/${version.manifest.name}/predict`,
      },
    ]);
  const pathOf = (row: number) => `${path}[${row}]`;
  const given = rows.map((row, index) => taskRow(version, row, pathOf(index)));
  const parameters = parseParameters(version.task.parameters, undefined);
  const runs = version.compiled.preprocess(given, { pathOf, parameters, sentBytes });
  return runs instanceof Promise ? runs.then(asInputs) : asInputs(runs);
}

function asInputs(runs: readonly Run[] | Parts<readonly Run[]>) {
  return "next" in runs ? inParts(runs) : { runs };
}

function* inParts(parts: Parts<readonly Run[]>): Parts<InferInputs> {
  return { runs: yield* parts };
}

/** Reads whole tensors: an object by input name, or the value of the only input. */
export function feedsOfColumns(version: ModelVersion, value: unknown, path: string): Tensors {
  const { inputs, name: model } = version.manifest;
  if (namesInputs(inputs, value)) return named(version, ({ name }) => value[name], path);
  if (inputs.length > 1)
    throw invalidInput([
      {
        path,
        message: `must be by name: ${model} has ${inputs.map(({ name }) => name).join(", ")}`,
      },
    ]);
  return named(version, () => value, path);
}

/**
 * Whole tensors as JSON: the bare value of the only output, or an object by output name. The rows of several runs
 * follow each other.
 */
export function columnsOfTensors(runs: readonly Tensors[]): unknown {
  const columns = Object.keys(runs[0] ?? {}).map((name) => {
    const tensors = runs.map((outputs) => outputs[name] as Tensor);
    const [only, ...others] = tensors;
    if (only && others.length === 0) return [name, new TensorJson(only, "nested")] as const;
    return [name, tensors.flatMap((tensor) => toNested(tensor))] as const;
  });
  const [only, ...others] = columns;
  return only && others.length === 0 ? only[1] : Object.fromEntries(columns);
}

/**
 * One value for each row: the only output's value, or an object by output name. Throws `invalid_input` when an output
 * has no rows.
 */
export function rowsOfResults(
  runs: readonly { rows: number }[],
  results: readonly Tensors[],
): unknown {
  const [only, ...others] = results.flatMap((tensors) => Object.entries(tensors));
  if (only && others.length === 0) {
    const [name, tensor] = only;
    checkHasRows(name, tensor, runs[0]?.rows ?? 0);
    return new TensorJson(tensor, "nested");
  }
  return runs.flatMap((run, index) => rowsOfTensors(results[index] ?? {}, run.rows));
}

function rowsOfTensors(tensors: Tensors, count: number): unknown[] {
  const columns = Object.entries(tensors).map(
    ([name, tensor]) => [name, rowsOf(name, tensor, count)] as const,
  );
  const [only, ...others] = columns;
  if (only && others.length === 0) return only[1];
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(columns.map(([name, values]) => [name, values[row]])),
  );
}

function rowsOf(name: string, tensor: Tensor, count: number): unknown[] {
  checkHasRows(name, tensor, count);
  return toNested(tensor) as unknown[];
}

function checkHasRows(name: string, tensor: Tensor, count: number): void {
  if (tensor.shape[0] !== count)
    throw invalidInput([
      {
        path: `outputs.${name}`,
        message: `is not one value a row: ask with inputs for whole tensors`,
      },
    ]);
}

function namesInputs(
  inputs: readonly TensorInfo[],
  value: unknown,
): value is Record<string, unknown> {
  if (!isObject(value)) return false;
  const keys = Object.keys(value);
  return keys.length === inputs.length && inputs.every(({ name }) => Object.hasOwn(value, name));
}

function lengthOf(values: unknown): number {
  return (values as unknown[]).length;
}

/** Whether the value is an object but not an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isFlat(values: unknown): values is unknown[] {
  return Array.isArray(values) && !values.some(Array.isArray);
}

function named(
  { manifest: { inputs }, compiled: { missing } }: ModelVersion,
  valueOf: (input: TensorInfo) => unknown,
  path: string,
): Tensors {
  return Object.fromEntries(
    inputs.map((input) => {
      const where = inputs.length > 1 ? `${path}.${input.name}` : path;
      return [input.name, fromNested(input, valueOf(input), where, missing?.fill)];
    }),
  );
}
