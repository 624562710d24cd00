import { invalidInput } from "../errors.ts";
import type { Manifest, TensorInfo } from "../model/manifest.ts";
import type { InferInputs } from "../call.ts";
import type { ModelVersion } from "../model/registry.ts";
import { parseParameters, type InParts, type Parts, type Run } from "../tasks/define.ts";
import type { Tensor, Tensors } from "../tensor.ts";
import { base64Bytes } from "../wire/base64.ts";
import { fromNested, toNested } from "../wire/nested.ts";

/**
 * Whether the row is for the model's task, and not for its graph. Rows of tensor models are for the graph, and
 * so are rows that name the graph's inputs, and an image's pixels.
 */
export function isTaskRow({ task, manifest }: ModelVersion, row: unknown): boolean {
  if (task.input === "tensors" || namesInputs(manifest.inputs, row)) return false;
  return task.input !== "image" || !Array.isArray(row);
}

/** A row for the task: `{"b64": …}` is an image's bytes, or text. */
export function taskRow({ task }: ModelVersion, row: unknown, path: string): unknown {
  try {
    const bytes = base64Bytes(row);
    if (!bytes) return row;
    return task.input === "image" ? bytes : new TextDecoder().decode(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidInput([{ path, message: error.message }]);
  }
}

/** Makes runs of rows. A row is a task's input, an object by input name, or the only input's value. */
export function runsOfRows(
  version: ModelVersion,
  rows: readonly unknown[],
  path: string,
): InParts<InferInputs> {
  const { manifest } = version;
  if (isTaskRow(version, rows[0])) return runsOfTask(version, rows, path);
  if (!namesInputs(manifest.inputs, rows[0]))
    return { runs: [{ feeds: feedsOfColumns(manifest, rows, path), rows: rows.length }] };
  rows.forEach((row, index) => {
    if (!namesInputs(manifest.inputs, row))
      throw invalidInput([
        { path: `${path}[${index}]`, message: "must have the same members as the first" },
      ]);
  });
  const column = ({ name }: TensorInfo) =>
    rows.map((row) => (row as Record<string, unknown>)[name]);
  return { runs: [{ feeds: named(manifest.inputs, column, path), rows: rows.length }] };
}

function runsOfTask(
  version: ModelVersion,
  rows: readonly unknown[],
  path: string,
): InParts<InferInputs> {
  const pathOf = (row: number) => `${path}[${row}]`;
  const given = rows.map((row, index) => taskRow(version, row, pathOf(index)));
  const parameters = parseParameters(version.task.parameters, undefined);
  const runs = version.compiled.preprocess(given, { pathOf, parameters });
  if (runs instanceof Promise) return runs.then((made) => ({ runs: made }));
  return "next" in runs ? inParts(runs) : { runs };
}

function* inParts(parts: Parts<readonly Run[]>): Parts<InferInputs> {
  return { runs: yield* parts };
}

/** Reads whole tensors: an object by input name, or the value of the only input. */
export function feedsOfColumns({ inputs, name: model }: Manifest, value: unknown, path: string) {
  if (namesInputs(inputs, value))
    return named(inputs, ({ name }) => (value as Record<string, unknown>)[name], path);
  if (inputs.length > 1)
    throw invalidInput([
      {
        path,
        message: `must be by name: ${model} has ${inputs.map(({ name }) => name).join(", ")}`,
      },
    ]);
  return named(inputs, () => value, path);
}

/** Whole tensors as JSON: the bare value of the only output, or an object by output name. */
export function columnsOfTensors(tensors: Tensors): unknown {
  const [only, ...others] = Object.values(tensors);
  if (only && others.length === 0) return toNested(only);
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, toNested(tensor)]),
  );
}

/** One value for each row: of the only output, or an object by output name. Throws when an output has no rows. */
export function rowsOfTensors(tensors: Tensors, count: number): unknown[] {
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
  if (tensor.shape[0] !== count)
    throw invalidInput([
      {
        path: `outputs.${name}`,
        message: `is not one value a row: ask with inputs for whole tensors`,
      },
    ]);
  return toNested(tensor) as unknown[];
}

function namesInputs(inputs: readonly TensorInfo[], value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const keys = Object.keys(value);
  return keys.length === inputs.length && inputs.every(({ name }) => Object.hasOwn(value, name));
}

function named(
  inputs: readonly TensorInfo[],
  valueOf: (input: TensorInfo) => unknown,
  path: string,
): Tensors {
  return Object.fromEntries(
    inputs.map((input) => {
      const where = inputs.length > 1 ? `${path}.${input.name}` : path;
      return [input.name, fromNested(input, valueOf(input), where)];
    }),
  );
}
