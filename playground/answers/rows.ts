import type { Answer } from "../api.ts";

export interface Row {
  /** Absent where there is only one. */
  title?: string;
  input: unknown;
  output: unknown;
}

/** Tasks whose single input is an object or an array of plain values. An array of anything else is a batch. */
const PLAIN_ARRAYS = new Set([
  "tabular-anomaly-detection",
  "tabular-classification",
  "tabular-regression",
  "recommendation",
]);

/** The inputs of a call, each with its output. */
export function rowsOf(task: string, { asked, outputs }: Answer): Row[] {
  const inputs =
    typeof asked.inputs === "string" ? (JSON.parse(asked.inputs) as unknown) : asked.inputs;
  const isBatch =
    Array.isArray(inputs) &&
    Array.isArray(outputs) &&
    (!PLAIN_ARRAYS.has(task) || inputs.some((one) => typeof one === "object"));
  if (!isBatch) return [{ input: inputs, output: outputs }];
  return inputs.map((input: unknown, index) => ({
    title: typeof input === "string" ? input : `Input ${index + 1}`,
    input,
    output: outputs[index] as unknown,
  }));
}
