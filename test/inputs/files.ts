import type { Row, RowsOptions } from "../../functions/inputs/row.ts";
import { readRows } from "../../functions/inputs/rows.ts";
import type { RowsModel } from "../../functions/inputs/csv.ts";
import type { Source } from "../../functions/inputs/source.ts";

/** A file in memory. */
export function fileOf(content: string | Uint8Array): Source {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return {
    size: bytes.byteLength,
    slice: (start, end) => Promise.resolve(new Uint8Array(bytes.slice(start, end))),
  };
}

/** All rows of a file, read in pieces. */
export async function rowsOf(
  content: string | Uint8Array,
  model: RowsModel,
  options: Partial<RowsOptions> = {},
): Promise<Row[]> {
  const all: Row[] = [];
  const limits = { rows: 2, bytes: 1000, lineBytes: 10_000 };
  const pieces = readRows(fileOf(content), model, { format: "csv", ...limits, ...options });
  for await (const { rows } of pieces) all.push(...rows);
  return all;
}
