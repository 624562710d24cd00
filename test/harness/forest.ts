import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readOnnx, writeOnnx } from "../../functions/platform/onnx/model.ts";

const IRIS = join(import.meta.dirname, "../../models/iris/1/model.onnx");

/** An ONNX file of iris's hundred trees, so many times over. It answers as iris does. */
export async function forest(times: number): Promise<Uint8Array> {
  const model = readOnnx(await readFile(IRIS));
  const trees = model.graph?.node.find(({ opType }) => opType === "TreeEnsembleClassifier");
  for (const attribute of trees?.attribute ?? []) {
    const { name, ints, floats, strings } = attribute;
    if (!/^(nodes|class)_/.test(name)) continue;
    const perTree = name.endsWith("_treeids") ? 1n + (ints.at(-1) ?? 0n) : 0n;
    attribute.ints = repeated(ints, (value, time) => value + BigInt(time) * perTree);
    const share = name === "class_weights" ? times : 1;
    attribute.floats = repeated(floats, (value) => value / share);
    attribute.strings = repeated(strings, (value) => value);
  }
  return writeOnnx(model);

  function repeated<Value>(values: Value[], change: (value: Value, time: number) => Value) {
    return Array.from({ length: times }, (_, time) =>
      values.map((value) => change(value, time)),
    ).flat();
  }
}
