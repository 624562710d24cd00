import type { Manifest } from "../../functions/model/manifest.ts";
import type { ScoresOptions } from "../../functions/tasks/classification/answers.ts";
import type { ImageOptions } from "../../functions/tasks/image/options.ts";
import type { TextOptions } from "../../functions/tasks/text/options.ts";
import type { SourceFile } from "../write-version.ts";
import { readGraph, type Graph, type TensorInfo } from "./graph.ts";

/** What a model file or an export folder says of itself. */
export interface Draft {
  graph: Graph;
  /** Files of the package beside artifact and weights. */
  assets: SourceFile[];
  /** What the user should know of how the source was read. */
  notes?: string[];
  /** What all tasks have, and the options of this one. */
  manifest: Pick<Manifest, "task" | "inputs" | "outputs"> &
    Partial<Pick<Manifest, "features" | "labels">> & {
      scores?: ScoresOptions;
      regression?: { output: string; activation?: string };
      text?: TextOptions;
      image?: ImageOptions;
    };
}

export interface Columns {
  features?: string[] | undefined;
  labels?: string[] | undefined;
}

/** A model file as a task that is named, with the fields of the manifest that only that task has. */
export async function draftForTask(
  path: string,
  task: string,
  options: Record<string, unknown> = {},
): Promise<Draft> {
  const graph = await readGraph(path);
  const { inputs, outputs } = graph;
  return { graph, assets: [], manifest: { ...options, task, inputs, outputs } };
}

/** A model file as the generic `tensor` task, or with names of its columns as a tabular one. */
export async function draftFromFile(path: string, { features, labels }: Columns): Promise<Draft> {
  const graph = await readGraph(path);
  const tensor = { task: "tensor", inputs: graph.inputs, outputs: graph.outputs };
  if (!features) return { graph, assets: [], manifest: tensor };

  const inputs = tabularInputs(graph, features);
  const columns = features.map((name) => ({ name, type: "number" as const }));
  if (!labels) {
    const output = only(
      graph.outputs.filter((one) => isFloat(one) && one.shape.slice(1).every((size) => size <= 1)),
      `one output with one number a row`,
      graph,
    );
    const outputs = [{ ...output, shape: output.shape.map((_, index) => (index === 0 ? -1 : 1)) }];
    const regression = { output: output.name };
    return {
      graph,
      assets: [],
      manifest: { task: "tabular-regression", inputs, outputs, features: columns, regression },
    };
  }
  const output = only(
    graph.outputs.filter(
      ({ datatype, shape }) =>
        datatype === "FP32" && shape.length === 2 && [-1, labels.length].includes(shape[1] ?? 0),
    ),
    `one FP32 output with ${labels.length} numbers a row, one for each label`,
    graph,
  );
  return {
    graph,
    assets: [],
    manifest: {
      task: "tabular-classification",
      inputs,
      outputs: [{ ...output, shape: [output.shape[0] ?? -1, labels.length] }],
      features: columns,
      labels,
      scores: { output: output.name, activation: "none" },
    },
  };
}

function tabularInputs({ inputs }: Graph, features: readonly string[]): TensorInfo[] {
  const [input] = inputs;
  // One packed input, or one of its own for each column.
  if (inputs.length > 1 || !input || input.shape.length !== 2) return inputs;
  const width = input.shape[1];
  if (width !== -1 && width !== features.length)
    throw new Error(
      `The model takes ${width} numbers a row, but --features names ${features.length}.`,
    );
  return [{ ...input, shape: [input.shape[0] ?? -1, features.length] }];
}

function only(found: TensorInfo[], what: string, { outputs }: Graph): TensorInfo {
  const [output] = found;
  if (output && found.length === 1) return output;
  const has = outputs.map(
    ({ name, datatype, shape }) => `${name} ${datatype} [${shape.join(", ")}]`,
  );
  throw new Error(`The model needs ${what}; it has ${has.join(", ")}.`);
}

function isFloat({ datatype }: TensorInfo): boolean {
  return datatype === "FP32" || datatype === "FP64";
}
