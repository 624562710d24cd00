import { invalidInput } from "../../errors.ts";
import type { Tensor, TensorData } from "../../tensor.ts";
import { ElementError, fromJsonData } from "../../wire/json-tensor.ts";
import type { Slot } from "./layout.ts";

/** The values of an input, row after row. */
export type SlotData = Float32Array | unknown[];

export function roomFor({ input, columns }: Slot, rows: number): SlotData {
  return input.datatype === "FP32" ? new Float32Array(rows * columns.length) : [];
}

/** Puts the checked values of a row where its inputs have them. */
export function putValues(
  values: readonly unknown[],
  row: number,
  data: readonly SlotData[],
  slots: readonly Slot[],
): void {
  for (const [at, { columns }] of slots.entries())
    for (const [place, column] of columns.entries())
      (data[at] as SlotData)[row * columns.length + place] = values[column];
}

/** Makes the input's tensor. Throws `invalid_input` for a value that its datatype cannot hold. */
export function packed(
  { input: { datatype, shape }, columns }: Slot,
  data: SlotData,
  rows: number,
  pathOf: (row: number, column: number) => string,
): Tensor {
  return {
    datatype,
    shape: [rows, ...shape.slice(1)],
    data: Array.isArray(data) ? elements(data) : data,
  };

  function elements(values: unknown[]): TensorData {
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
