import { fixture, writePackage } from "./service.ts";

/** A feature of each type. */
export const COLUMNS = [
  { name: "age", type: "integer", minimum: 0, maximum: 150, unit: "years" },
  { name: "income", type: "number" },
  { name: "member", type: "boolean" },
  { name: "city", type: "string", categories: ["Oslo", "Bergen"] },
] as const;

/** Writes a regression whose graph has one input for each of the {@link COLUMNS}. */
export async function writeColumns(
  store: string,
  name: string,
  { features = COLUMNS, unit }: { features?: readonly object[]; unit?: string } = {},
): Promise<void> {
  await writePackage(store, {
    artifact: await fixture("graphs/columns.onnx"),
    manifest: {
      name,
      task: "tabular-regression",
      inputs: [
        { name: "age", datatype: "INT64", shape: [-1, 1] },
        { name: "income", datatype: "FP32", shape: [-1, 1] },
        { name: "member", datatype: "BOOL", shape: [-1, 1] },
        { name: "city", datatype: "BYTES", shape: [-1, 1] },
      ],
      outputs: [{ name: "value", datatype: "FP32", shape: [-1, 1] }],
      features,
      regression: { output: "value", unit },
    },
  });
}
