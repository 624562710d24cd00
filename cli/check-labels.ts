import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type {
  ClassificationManifest,
  LabelOptions,
} from "../functions/tasks/classification/options.ts";
import type { Example } from "./examples/files.ts";
import { labelsOf, labelsOfScores, type GraphLabels } from "../functions/platform/onnx/labels.ts";
import { readOnnx } from "../functions/platform/onnx/model.ts";
import { viewOf, type GraphView } from "../functions/platform/onnx/view.ts";
import { label as named, type LocalPackage } from "./package-folder.ts";

/**
 * Compares the labels of a classifier's graph, manifest and examples. Throws an Error that says which differ. It also
 * throws if the graph gives the label and the manifest does not name that output.
 */
export async function checkLabels(
  local: LocalPackage,
  examples: readonly Example[],
): Promise<void> {
  const manifest = local.manifest as Partial<ClassificationManifest> & LocalPackage["manifest"];
  const { labels, label, scores } = manifest;
  if (!labels || !(label || scores)) return;
  checkExamples(labels, examples, named(manifest));
  const view = await readView(local);
  if (!view) return;
  if (!label) {
    const own = view.graph.output.find(({ name }) => labelsOf(view, name) !== undefined);
    if (own) throw unnamed(own.name, named(manifest));
  }
  const ofGraph = label
    ? labelsOf(view, label.output)
    : scores && labelsOfScores(view, scores.output);
  checkGraph(ofGraph, labels, label, named(manifest));
}

async function readView({ folder, manifest }: LocalPackage): Promise<GraphView | undefined> {
  const { file } = manifest.artifact;
  // ORT format does not show the operators.
  if (!file.endsWith(".onnx")) return undefined;
  const { graph } = readOnnx(await readFile(join(folder, file)));
  return graph && viewOf(graph);
}

function checkExamples(
  labels: readonly string[],
  examples: readonly Example[],
  model: string,
): void {
  for (const [index, { output }] of examples.entries()) {
    const answer = (output ?? {}) as { label?: string; scores?: object };
    const said = [
      ...(answer.label === undefined ? [] : [answer.label]),
      ...Object.keys(answer.scores ?? {}),
    ];
    const other = said.find((one) => !labels.includes(one));
    if (other !== undefined)
      throw new Error(
        `Example ${index} of ${model} says ${JSON.stringify(other)}, which is none of the manifest's labels: ${labels.join(", ")}.`,
      );
  }
}

function checkGraph(
  ofGraph: GraphLabels,
  labels: readonly string[],
  label: LabelOptions | undefined,
  model: string,
): void {
  if (ofGraph === undefined) return;
  const expected = (label?.values ?? labels).map(String);
  const own = ofGraph === "positions" ? labels.map((_, index) => index) : ofGraph;
  const areNames = !label && own.every((one) => typeof one === "number");
  if (areNames ? own.length === labels.length : String(own) === String(expected)) return;
  throw new Error(
    `The labels of ${model} differ: the graph says ${own.join(", ")}, its manifest ${expected.join(", ")}. They must be the same, in the order of the scores; numbers of the graph get names by label.values, such as "labels": ["no", "yes"] with "label": {"output": "…", "values": [0, 1]}.`,
  );
}

function unnamed(output: string, model: string): Error {
  return new Error(
    `The graph of ${model} says the label itself, in its output ${output}, and the manifest does not name it. Add the model again, or write "label": {"output": "${output}"} into its model.json and ${output} under its "outputs".`,
  );
}
