import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readGraph } from "../../functions/platform/onnx/graph.ts";
import { node, readOnnx, writeOnnx, type OnnxGraph } from "../../functions/platform/onnx/model.ts";
import { listOf } from "../../functions/platform/onnx/rewrite.ts";
import { viewOf } from "../../functions/platform/onnx/view.ts";
import { root, temporaryFolder } from "./nearcast.ts";

const IDENTITIES = 20_000;

/** The graph of a list of the tensors `positive` and `sums`, changed by `change`. */
async function changed(change: (graph: OnnxGraph) => void): Promise<string> {
  const model = readOnnx(
    await readFile(join(root, "test/fixtures/odd-graphs/list-of-outputs.onnx")),
  );
  if (model.graph) change(model.graph);
  const path = join(await temporaryFolder(), "list.onnx");
  await writeFile(path, writeOnnx(model));
  return path;
}

test("the tensors of a list get names that the graph does not have", async () => {
  const path = await changed(({ node: nodes }) => {
    for (const one of nodes)
      for (const names of [one.input, one.output])
        for (const [at, name] of names.entries()) if (name === "positive") names[at] = "list_0";
  });
  const { outputs } = await readGraph(path);
  expect(outputs.map(({ name }) => name)).toEqual(["list_0_", "list_1"]);
});

test("a list that is made of itself is refused by ONNX Runtime", async () => {
  const path = await changed((graph) => {
    graph.node = graph.node.filter(({ opType }) => opType !== "SequenceConstruct");
    graph.node.push(node("Identity", ["other"], ["list"]), node("Identity", ["list"], ["other"]));
  });
  await expect(readGraph(path)).rejects.toThrow(/list\.onnx: (?!.*call stack)/);
});

test("a list is found behind many operators", () => {
  const list = node("SequenceConstruct", ["x"], ["name_0"]);
  const handsOn = Array.from({ length: IDENTITIES }, (_, at) =>
    node("Identity", [`name_${at}`], [`name_${at + 1}`]),
  );
  const graph = { node: [list, ...handsOn], initializer: [], input: [], output: [] };
  expect(listOf(viewOf(graph), `name_${IDENTITIES}`)).toBe(list);
});
