import type { Manifest } from "../../functions/model/manifest.ts";
import type { LabelOptions, ScoresOptions } from "../../functions/tasks/classification/options.ts";
import type { AudioOptions } from "../../functions/tasks/audio/options.ts";
import type { ImageSettings } from "../../functions/tasks/image/options.ts";
import type { DetectionSettings } from "../../functions/tasks/object-detection/options.ts";
import type { ZeroShotImageSettings } from "../../functions/tasks/zero-shot-image-classification/options.ts";
import type { VoiceSettings } from "../../functions/tasks/voice-activity-detection/options.ts";
import type { RecognitionSettings } from "../../functions/tasks/image-to-text/options.ts";
import type { SegmentationSettings } from "../../functions/tasks/image-segmentation/options.ts";
import type { TextOptions } from "../../functions/tasks/text/options.ts";
import { labelsOf } from "../../functions/platform/onnx/labels.ts";
import { knownTextMistake } from "../../functions/platform/onnx/text-steps.ts";
import type { SourceFile } from "../write-version.ts";
import { batchOf } from "../../functions/platform/onnx/batch-dimension.ts";
import { classifierOf, isFloat, labelOutputOf } from "./classifier.ts";
import { featuresOf } from "./columns.ts";
import { readGraph, type Graph, type TensorInfo } from "../../functions/platform/onnx/graph.ts";
import type { ImageVectors } from "./image-vectors.ts";
import { notesOfMissing, withMissing, type MissingFlag } from "./missing.ts";
import { only } from "./only.ts";
import type { ScoresFlag } from "./score-meaning.ts";
import { withTrueShapes } from "./true-shapes.ts";

/** What a model file or an export folder says about itself. */
export interface Draft {
  graph: Graph;
  /** Files of the package beside artifact and weights. */
  assets: SourceFile[];
  /** What the user should know about how the source was read. */
  notes?: string[];
  /** The fields of all tasks, and the options of this one. */
  manifest: Pick<Manifest, "task" | "inputs" | "outputs"> &
    Partial<Pick<Manifest, "features" | "labels" | "batchDimension">> & {
      label?: LabelOptions;
      scores?: ScoresOptions;
      regression?: { output: string; activation?: string };
      anomaly?: { output: string };
      text?: TextOptions;
      image?: ImageSettings;
      audio?: AudioOptions;
      vector?: ImageVectors["vector"];
      detection?: DetectionSettings;
      zeroShot?: ZeroShotImageSettings;
      segmentation?: SegmentationSettings;
      voice?: VoiceSettings;
      state?: Readonly<Record<string, string>>;
      recognition?: RecognitionSettings;
    };
}

export interface Columns {
  /** One of {@link TABLE_TASKS}. When absent, the outputs and labels decide between the first two. */
  task?: TableTask | undefined;
  features?: string[] | undefined;
  labels?: string[] | undefined;
  scores?: ScoresFlag | undefined;
  missing?: MissingFlag | undefined;
}

/** The tasks that `add` reads from a table's graph. */
export const TABLE_TASKS = [
  "tabular-classification",
  "tabular-regression",
  "tabular-anomaly-detection",
] as const;
type TableTask = (typeof TABLE_TASKS)[number];

/** A model file with a task that the user names, and the fields of the manifest that only that task has. */
export async function draftForTask(
  path: string,
  task: string,
  options: Record<string, unknown> = {},
): Promise<Draft> {
  const graph = await readGraph(path);
  const { inputs, outputs } = graph;
  return { graph, assets: [], manifest: { ...options, task, inputs, outputs } };
}

/**
 * A model file as the generic task `tensor`. With names of its columns it is a tabular task. A classifier of texts
 * becomes text classification.
 */
export async function draftFromFile(path: string, columns: Columns): Promise<Draft> {
  const { features, labels, scores, missing, task: named = "tabular-classification" } = columns;
  const joinScores = features !== undefined && named === "tabular-classification";
  const graph = await readGraph(path, { joinScores });
  const mistake = graph.view && knownTextMistake(graph.view);
  if (mistake !== undefined && (features || takesText(graph, labels))) throw new Error(mistake);
  if (!features && takesText(graph, labels)) return textDraft(path, columns);
  if (!features) {
    const flag = labels ? "--labels need" : scores && "--scores needs";
    if (flag)
      throw new Error(
        `${flag} --features: they are for a tabular model, and --features names its columns. For a model of another kind, say which: --task <name>`,
      );
    const { inputs, outputs } = graph;
    const { notes, ...batch } = batchOf(graph);
    return { graph, assets: [], notes, manifest: { task: "tensor", inputs, outputs, ...batch } };
  }
  const inputs = tabularInputs(graph, features);
  const table = {
    inputs,
    features: withMissing(graph, inputs, featuresOf(features, inputs, graph), missing),
  };
  const notes = notesOfMissing(table.features);
  const isClassifier = labels || scores || labelOutputOf(graph);
  const task = columns.task ?? (isClassifier ? "tabular-classification" : "tabular-regression");
  if (task === "tabular-classification") {
    const { classifier, ...read } = await classifierOf(graph, { inputs, labels, scores });
    return { ...read, assets: [], notes, manifest: { task, ...table, ...classifier } };
  }
  const { graph: read } = await withTrueShapes(graph, inputs);
  const output = numbersOutput(read, task === "tabular-regression" ? labels : undefined);
  const draft = { graph: read, assets: [] };
  const outputs = [output];
  if (task === "tabular-anomaly-detection")
    return {
      ...draft,
      notes: [...notes, ANOMALY_NOTE],
      manifest: { task, ...table, outputs, anomaly: { output: output.name } },
    };
  const manifest = { task, ...table, outputs, regression: { output: output.name } };
  return { ...draft, notes, manifest: { ...manifest, ...(labels && { labels }) } };
}

const ANOMALY_NOTE =
  "A row is unusual where the number is below 0, as decision_function of scikit-learn has it. For an error or a distance, change side and threshold of anomaly in its model.json.";

/** The only output with a number for each label, or with one number a row. */
function numbersOutput({ outputs }: Graph, labels: readonly string[] = ["value"]): TensorInfo {
  const width = labels.length;
  const fits = ({ shape }: TensorInfo) =>
    width === 1
      ? shape.slice(1).every((size) => size <= 1)
      : shape.length === 2 && shape[1] === width;
  const wanted =
    width === 1
      ? "one output with one number a row (a classifier needs --labels; several numbers a row need --task tabular-regression and a name for each as --labels)"
      : `one output with ${width} numbers a row, one for each of --labels`;
  const output = only(
    outputs.filter((one) => isFloat(one) && fits(one)),
    wanted,
    outputs,
  );
  return { ...output, shape: output.shape.map((_, index) => (index === 0 ? -1 : width)) };
}

/** A classifier whose graph itself splits and counts words, such as a pipeline with a TfidfVectorizer. */
function takesText({ inputs, outputs, view, zipMapLabels }: Graph, labels?: string[]): boolean {
  const [input] = inputs;
  const isColumn = input?.datatype === "BYTES" && input.shape.slice(1).every((size) => size === 1);
  const own = outputs.map(({ name }) => view && labelsOf(view, name));
  return (
    isColumn &&
    inputs.length === 1 &&
    (labels ?? zipMapLabels ?? own.find(Array.isArray)) !== undefined
  );
}

async function textDraft(path: string, { labels, scores }: Columns): Promise<Draft> {
  const graph = await readGraph(path, { joinScores: true });
  const { inputs } = graph;
  const { classifier, ...read } = await classifierOf(graph, { inputs, labels, scores });
  return { ...read, assets: [], manifest: { task: "text-classification", inputs, ...classifier } };
}

function tabularInputs({ inputs }: Graph, features: readonly string[]): TensorInfo[] {
  const [input] = inputs;
  // One packed input, or one input for each column.
  if (inputs.length > 1 || !input || input.shape.length !== 2) return inputs;
  const width = input.shape[1];
  if (width !== -1 && width !== features.length)
    throw new Error(
      `The model takes ${width} numbers a row, but --features names ${features.length}.`,
    );
  return [{ ...input, shape: [input.shape[0] ?? -1, features.length] }];
}
