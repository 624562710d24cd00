import * as z from "zod";
import { invalidBody, invalidInput, NearcastError } from "../../errors.ts";
import type { ModelVersion } from "../../model/registry.ts";
import { rowsOfFeatures } from "../rows.ts";

const row = z.record(z.string(), z.unknown());

// Clients in Python write null for what they leave out.
export const invocationRequest = z.strictObject({
  dataframe_split: z
    .strictObject({
      columns: z.array(z.union([z.string(), z.number()])).nullish(),
      index: z.array(z.unknown()).nullish(),
      data: z.array(z.array(z.unknown())),
    })
    .nullish(),
  dataframe_records: z.array(row).nullish(),
  instances: z.array(z.unknown()).nullish(),
  inputs: z.unknown().optional(),
  params: row.nullish(),
});

/** What to predict from: rows, or whole tensors. */
export type Invocation = { params?: Record<string, unknown> | undefined } & (
  | {
      rows: unknown[];
      /** Of CSV: the line that each row begins on. */
      lines?: readonly number[];
    }
  | { columns: unknown }
);

/**
 * Reads one of MLflow's four JSON forms. An array alone is `instances`: SageMaker's `JSONSerializer` wraps nothing. Throws `malformed_request` when the body is none or several of them,
 * or `invalid_input`.
 */
export function readInvocation(json: unknown, version: ModelVersion): Invocation {
  const parsed = invocationRequest.safeParse(Array.isArray(json) ? { instances: json } : json);
  if (!parsed.success) throw invalidBody(parsed.error);
  const { params: named, ...forms } = parsed.data;
  const params = named ?? undefined;
  const given = Object.values(forms).filter((form) => form !== undefined && form !== null);
  if (given.length !== 1)
    throw new NearcastError(
      "malformed_request",
      "The request needs exactly one of dataframe_split, dataframe_records, instances and inputs.",
    );
  if (forms.dataframe_split) {
    const { columns, data } = forms.dataframe_split;
    return { params, rows: rowsOfFrame(version, columns?.map(String), data) };
  }
  if (forms.dataframe_records) {
    const columns = Object.keys(forms.dataframe_records[0] ?? {});
    const isValue = columns.length === 1 && takesValue(version, columns[0] ?? "");
    const rows = forms.dataframe_records.map((record) =>
      isValue ? record[columns[0] ?? ""] : record,
    );
    return { params, rows };
  }
  if (forms.instances) return { params, rows: forms.instances };
  return { params, ...rowsOfInputs(version, forms.inputs) };
}

/** Rows by name where columns have names, by position where they have numbers, or single values. */
function rowsOfFrame(
  version: ModelVersion,
  columns: readonly string[] | undefined,
  data: unknown[][],
) {
  const width = columns?.length ?? data[0]?.length ?? 0;
  data.forEach((cells, index) => {
    if (cells.length !== width)
      throw invalidInput([
        { path: `row ${index}`, message: `has ${cells.length} cells, there are ${width} columns` },
      ]);
  });
  if (width === 1 && takesValue(version, columns?.[0])) return data.map(([cell]) => cell);
  const numbered = !columns || columns.every((name, index) => name === String(index));
  // One tensor takes the whole frame, as in MLflow's own ONNX flavour.
  const isTensor = version.task.input === "tensors" && version.manifest.inputs.length === 1;
  if (numbered || isTensor) return data;
  return data.map((cells) =>
    Object.fromEntries(columns.map((name, index) => [name, cells[index]])),
  );
}

/** Columns by feature become rows. A list of a task's inputs is rows already. All else is tensors. */
function rowsOfInputs(
  version: ModelVersion,
  inputs: unknown,
): { rows: unknown[] } | { columns: unknown } {
  const { input } = version.task;
  if (input === "tensors") return { columns: inputs };
  if (Array.isArray(inputs)) return { rows: inputs };
  if (input !== "features" || typeof inputs !== "object" || inputs === null)
    return { columns: inputs };
  const rows = rowsOfFeatures(version, inputs, "inputs");
  if (rows) return { rows };
  const isRow = !Object.values(inputs).every(Array.isArray);
  return isRow ? { rows: [inputs] } : { columns: inputs };
}

/** Whether the only column is the input itself, and not a member of it. */
function takesValue(version: ModelVersion, column: string | undefined): boolean {
  const { input } = version.task;
  if (input === "features") return false;
  return input !== "tensors" || version.manifest.inputs[0]?.name !== column;
}
