// Compiled against the packed client: `@ts-expect-error` fails where the types allow what they should refuse.
import { createLocalModel } from "../../client/src/browser/index.ts";
import type { Classification } from "../../client/src/index.ts";

interface Iris {
  input: { sepal_length: number };
  output: Classification<"setosa" | "virginica">;
  parameters: { top_k?: number };
}

export async function uses(wasmUrl: string) {
  const flowers = createLocalModel<Iris>("/ml", "iris", { wasmUrl });
  const one = await flowers.predict({ sepal_length: 5.1 }, { parameters: { top_k: 1 } });
  const label: "setosa" | "virginica" = one.outputs.label;
  const many = await flowers.predict([{ sepal_length: 5.1 }], { timeoutMs: 100 });
  const labels: string[] = many.outputs.map((output) => output.label);
  // @ts-expect-error A misspelt feature.
  await flowers.predict({ sepal_lenght: 5.1 });
  // @ts-expect-error A misspelt parameter.
  await flowers.predict({ sepal_length: 5.1 }, { parameters: { topk: 1 } });
  // @ts-expect-error The released version answers: none can be named.
  await flowers.predict({ sepal_length: 5.1 }, { version: "2" });
  // @ts-expect-error The page needs the file of ONNX Runtime.
  createLocalModel("/ml", "iris", {});
  if (one.where === "page") {
    // @ts-expect-error The page does not answer because it loads.
    return one.why === "loading";
  }
  const untyped = createLocalModel("/ml", "iris", { wasmUrl, where: "page", maxBytes: 1 });
  const { outputs } = await untyped.predict([1, 2]);
  // @ts-expect-error Without types, the outputs are unknown.
  return [label, labels, outputs.label];
}
