import { NearcastError } from "../errors.ts";
import { csvRows } from "./csv-rows.ts";
import type { RowsModel } from "./csv.ts";
import { jsonRows } from "./json-rows.ts";
import type { Rows, RowsOptions } from "./row.ts";
import type { Source } from "./source.ts";

/**
 * Reads a file's rows in pieces. A wrong row has an error; a file that cannot be read at all rejects with
 * `malformed_request`, `invalid_input` or `unsupported_media_type`.
 */
export async function* readRows(
  source: Source,
  model: RowsModel,
  options: RowsOptions,
): AsyncGenerator<Rows> {
  if (source.size === 0) throw new NearcastError("malformed_request", "The file is empty.");
  if (model.task.input === "tensors")
    throw new NearcastError(
      "invalid_input",
      "The model takes whole tensors: it has no rows that a file could hold.",
    );
  if (options.format === "csv") yield* csvRows(source, model, options);
  else if (options.format === "jsonl") yield* jsonRows(source, model, options);
  else {
    const { parquetRows } = await import("./parquet-rows.ts");
    yield* parquetRows(source, model, options);
  }
}
