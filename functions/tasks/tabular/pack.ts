import { invalidInput } from "../../errors.ts";
import type { Tensor, TensorData } from "../../tensor.ts";
import { ElementError, fromJsonData } from "../../wire/json-tensor.ts";
import type { Slot } from "./layout.ts";

/**
 * Makes the input's tensor from columns of a table of checked values. Throws `invalid_input` for a value that its
 * datatype cannot hold.
 */
export function packed(
  { input: { datatype, shape }, columns }: Slot,
  table: readonly (readonly unknown[])[],
  pathOf: (row: number, column: number) => string,
): Tensor {
  return {
    datatype,
    shape: [table.length, ...shape.slice(1)],
    data: datatype === "FP32" ? floats(columns, table) : elements(),
  };

  function elements(): TensorData {
    const values = table.flatMap((row) => columns.map((column) => row[column]));
    try {
      return fromJsonData(datatype, values);
    } catch (error) {
      if (!(error instanceof ElementError)) throw error;
      const { index, reason } = error;
      const row = Math.floor(index / columns.length);
      const path = pathOf(row, columns[index % columns.length] ?? 0);
      throw invalidInput([{ path, message: reason }]);
    }
  }
}

/** For most models: checked numbers as floats. Takes a quarter of the time of `flat`. */
function floats(columns: readonly number[], table: readonly (readonly unknown[])[]): Float32Array {
  const data = new Float32Array(table.length * columns.length);
  let at = 0;
  const first = columns[0] ?? 0;
  const end = first + columns.length;
  // The columns of an input are neighbours.
  for (const row of table)
    for (let column = first; column < end; column++) data[at++] = row[column] as number;
  return data;
}
