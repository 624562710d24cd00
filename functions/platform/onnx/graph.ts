import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { InferenceSession } from "../../runtime/native-ort.ts";
import type { Manifest } from "../../model/manifest.ts";
import { NAME_PATTERN } from "../../model/name.ts";
import { DATATYPES, datatypeNames, datatypeOfOrt } from "../../tensor.ts";
import { externalDataFiles } from "./external-data.ts";
import { loadReason, refusesOwnCasts, unknownType } from "./load-failure.ts";
import { rewriteClassifier } from "./classifier-outputs.ts";
import { rewriteGraph, unpackLists } from "./rewrite.ts";
import { readOnnx, writeOnnx, type OnnxModel } from "./model.ts";
import { viewOf, type GraphView } from "./view.ts";
import { checkModelFile, checkWeightsFile, withoutRank } from "./model-file.ts";

export type TensorInfo = Manifest["inputs"][number];

/** A model file as a user has it. */
export interface Graph {
  path: string;
  format: "onnx" | "ort";
  inputs: TensorInfo[];
  outputs: TensorInfo[];
  /** Files beside it that hold weights. */
  externalData: string[];
  /** The file's content and its operators. Undefined in ORT format, which does not show them. */
  model?: OnnxModel | undefined;
  view?: GraphView | undefined;
  /** The file's new content, if the graph had to be changed for all runtimes. */
  bytes?: Uint8Array | undefined;
  /** A sentence for each change. */
  changes: string[];
  /** The labels of a ZipMap that was cut off. */
  zipMapLabels?: (string | number)[] | undefined;
}

interface ReadOptions {
  /** For classifiers: whether scores with one output for each class become one output again, and labels a list. */
  joinScores?: boolean;
}

/** Reads what goes in and out of an `.onnx` or `.ort` file. Throws an Error that says why it cannot. */
export async function readGraph(path: string, { joinScores }: ReadOptions = {}): Promise<Graph> {
  const original = await readFile(path);
  const format = isOrt(original) ? "ort" : "onnx";
  if (format === "onnx") checkModelFile(path, original);
  const externalData = format === "onnx" ? await findExternalData(path, original) : [];
  const model = format === "onnx" ? readOnnx(original) : undefined;
  const { changes, labels } = model?.graph ? rewriteGraph(model.graph) : { changes: [] };
  if (model?.graph)
    changes.push(...(joinScores ? rewriteClassifier(model.graph) : unpackLists(model.graph)));
  const changed = model && changes.length > 0 ? writeOnnx(model) : undefined;
  const bytes = changed ?? original;
  const weights = changed ? await readWeights(path, externalData) : [];
  const open = (graphOptimizationLevel: "disabled" | "all") => {
    const options = {
      executionProviders: ["cpu"],
      logSeverityLevel: 4,
      graphOptimizationLevel,
    } as const;
    return changed
      ? InferenceSession.create(changed, { ...options, externalData: weights })
      : InferenceSession.create(path, options);
  };
  // Without optimisation ONNX Runtime is fast, and runs none of the graph in this process.
  const session = await open("disabled")
    .catch((cause: unknown) => {
      if (refusesOwnCasts(cause)) return open("all");
      throw cause;
    })
    .catch((cause: unknown) => {
      throw new Error(`${path}: ${loadReason(cause, model && opsetOf(model))}`, { cause });
    });
  const unknown = format === "onnx" ? withoutRank(bytes, "input") : new Set();
  try {
    if (session.inputMetadata.length === 0)
      throw new Error(
        `${path}: the graph has no inputs, so it always answers the same. Export the model with its inputs; what was constant in the export (an example input, a file that was read) must be an argument of the model.`,
      );
    const shapeless = session.inputMetadata.find(
      (info) => info.isTensor && info.shape.length === 0 && unknown.has(info.name),
    );
    if (shapeless) throw withoutShape(path, shapeless);
    return {
      path,
      format,
      externalData,
      model,
      view: model?.graph && viewOf(model.graph),
      bytes: changed,
      changes,
      zipMapLabels: labels,
      inputs: session.inputMetadata.map((info) => tensorInfo(info, "input")),
      outputs: session.outputMetadata.map((info) => tensorInfo(info, "output")),
    };
  } finally {
    await session.release();
  }
}

/** The opset of ai.onnx. */
function opsetOf({ opsetImport }: OnnxModel): number | undefined {
  const own = opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx");
  return own && Number(own.version);
}

/** FlatBuffers of ONNX Runtime carry the identifier ORTM after their first offset. */
function isOrt(bytes: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes.subarray(4, 8)) === "ORTM";
}

async function findExternalData(path: string, bytes: Uint8Array): Promise<string[]> {
  let files: string[];
  try {
    files = externalDataFiles(bytes);
  } catch (cause) {
    throw new Error(
      `${path} is not a whole ONNX file: ${(cause as Error).message}. Copy or download it again.`,
      { cause },
    );
  }
  for (const file of files) {
    if (!NAME_PATTERN.test(file) || basename(file) !== file)
      throw new Error(
        `${path} keeps weights in ${JSON.stringify(file)}. They must lie beside it in a file with a plain name; save the model again with location="model.data".`,
      );
    if (!(await stat(join(dirname(path), file)).catch(() => undefined))?.isFile())
      throw new Error(
        `${path} keeps weights in ${file}, which does not lie beside it. Copy it there under that name.`,
      );
    await checkWeightsFile(join(dirname(path), file));
  }
  return files;
}

function readWeights(path: string, files: readonly string[]) {
  return Promise.all(
    files.map(async (file) => ({ path: file, data: await readFile(join(dirname(path), file)) })),
  );
}

function tensorInfo(info: InferenceSession.ValueMetadata, what: "input" | "output"): TensorInfo {
  if (!info.isTensor)
    throw new Error(
      `The ${what} ${info.name} is no tensor but a sequence, a map or an optional, which ONNX Runtime Web does not have. Export the model with tensors only: of several targets in one model, export each as a model of its own.`,
    );
  if (!datatypeNames.some((name) => DATATYPES[name].ort === info.type))
    throw new Error(`The ${what} ${info.name}: ${unknownType(info.type)}`);
  return {
    name: info.name,
    datatype: datatypeOfOrt(info.type),
    shape: info.shape.map((size) => (typeof size === "number" && size >= 0 ? size : -1)),
  };
}

function withoutShape(path: string, { name }: InferenceSession.ValueMetadata): Error {
  return new Error(
    `${path}: its input ${name} has no shape in the graph, not even a number of dimensions, so no request could be checked. Export the model with one, or give it one in Python, such as any number of rows of 3 numbers: next(i for i in model.graph.input if i.name == "${name}").CopyFrom(onnx.helper.make_tensor_value_info("${name}", onnx.TensorProto.FLOAT, ["batch", 3]))`,
  );
}
