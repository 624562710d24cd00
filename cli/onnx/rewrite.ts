import { classLabels } from "./labels.ts";
import {
  floatOutput,
  stringAttribute,
  tensorValue,
  type OnnxGraph,
  type OnnxNode,
} from "./model.ts";
import { attributeOf, decode, textOf, viewOf, type GraphView } from "./view.ts";

/** What was changed in a graph so that all runtimes have it. */
export interface Rewritten {
  /** A sentence for each change. */
  changes: string[];
  /** The labels of a ZipMap that was cut off, in the order of the scores. */
  labels?: (string | number)[] | undefined;
}

/** Every runtime has it, on every machine. */
const LOCALE = "C.UTF-8";

/** Changes what ONNX Runtime Web lacks: ZipMap, and locales that are not installed. Throws an Error where it cannot. */
export function rewriteGraph(graph: OnnxGraph): Rewritten {
  const changes = graph.node.flatMap((node) => [
    ...(useCommonLocale(node) ?? []),
    ...(splitAsScikitLearn(graph, node) ?? []),
  ]);
  let labels: Rewritten["labels"];
  for (const node of graph.node.filter(({ opType }) => opType === "ZipMap")) {
    labels = classLabels(node);
    changes.push(cutZipMap(graph, node, labels?.length ?? 0));
  }
  return { changes, labels };
}

/** StringNormalizer changes case by a locale of the machine. It is the same in all but a few languages. */
function useCommonLocale(node: OnnxNode): string[] | undefined {
  const action = textOf(node, "case_change_action") || "NONE";
  if (node.opType !== "StringNormalizer" || action === "NONE") return undefined;
  const locale = textOf(node, "locale") || "en_US";
  if (locale === LOCALE || locale === "C") return undefined;
  if (/^(az|lt|tr)/i.test(locale))
    throw new Error(
      `The graph changes the case of texts by the locale ${locale}, whose rules only machines with that locale have. Export the model without a change of case (lowercase=False), and change it before you ask.`,
    );
  const attribute = attributeOf(node, "locale");
  const s = new TextEncoder().encode(LOCALE);
  if (attribute) attribute.s = s;
  else node.attribute.push(stringAttribute("locale", s));
  return [
    `Its StringNormalizer changes case by the locale ${LOCALE}, which every machine has, and no longer by ${locale}.`,
  ];
}

/** What skl2onnx writes for scikit-learn's default token_pattern, and what that pattern matches. */
const CONVERTED_PATTERN = "[a-zA-Z0-9_]+";
const DEFAULT_PATTERN = "[\\p{L}\\p{N}_]{2,}";

/**
 * skl2onnx writes the default token_pattern of TfidfVectorizer and CountVectorizer as one that cuts words at é and
 * keeps words of one letter, which breaks pairs of words. A vocabulary with such words had that pattern itself.
 */
function splitAsScikitLearn(graph: OnnxGraph, node: OnnxNode): string[] | undefined {
  const pattern = attributeOf(node, "tokenexp");
  if (node.opType !== "Tokenizer" || !pattern || decode(pattern.s) !== CONVERTED_PATTERN)
    return undefined;
  const words = graph.node
    .filter(({ opType }) => opType === "TfIdfVectorizer")
    .flatMap((one) => attributeOf(one, "pool_strings")?.strings.map(decode) ?? []);
  if (words.length === 0 || words.some((word) => word.length === 1)) return undefined;
  pattern.s = new TextEncoder().encode(DEFAULT_PATTERN);
  return [
    `Its Tokenizer splits texts at ${DEFAULT_PATTERN}, as scikit-learn's default token_pattern does; skl2onnx had written ${CONVERTED_PATTERN}, which cuts words at letters such as é.`,
  ];
}

/** Gives the tensor before a ZipMap in the place of its sequence of maps. */
function cutZipMap(graph: OnnxGraph, node: OnnxNode, width: number): string {
  const [tensor = ""] = node.input;
  const [sequence = ""] = node.output;
  graph.node = graph.node.filter((one) => one !== node);
  const at = graph.output.findIndex(({ name }) => name === sequence);
  const isOutput = graph.output.some(({ name }) => name === tensor);
  if (at >= 0) graph.output.splice(at, 1, ...(isOutput ? [] : [floatOutput(tensor, width)]));
  return `Its ZipMap was cut off: ${tensor}, the scores before it, takes the place of the output ${sequence}.`;
}

/**
 * Declares the shapes that a run gave, for the outputs that are declared otherwise: ONNX Runtime Web does not load such
 * a graph. Gives a sentence for each change.
 */
export function declareShapes(
  graph: OnnxGraph,
  outputs: readonly { name: string; shape: readonly number[] }[],
): string[] {
  return outputs.flatMap(({ name, shape }) => {
    const at = graph.output.findIndex((one) => one.name === name);
    const { elemType, shape: declared } = graph.output[at]?.type?.tensorType ?? {};
    // Without dimensions, any shape is declared.
    if (elemType === undefined || !declared || fits(declared.dim, shape)) return [];
    graph.output[at] = tensorValue(name, elemType, shape);
    return `Its output ${name} is declared as [${shape.join(", ")}], as a run gives it.`;
  });
}

function fits(declared: readonly { dimValue: bigint }[], shape: readonly number[]): boolean {
  return (
    declared.length === shape.length &&
    declared.every(({ dimValue }, axis) => dimValue === 0n || Number(dimValue) === shape[axis])
  );
}

/**
 * With `zipmap="columns"` skl2onnx cuts the scores into an output for each class. Gives the tensor before the cuts
 * in their place. Undefined where the graph is no such one.
 */
export function joinColumns(graph: OnnxGraph): string | undefined {
  const view = viewOf(graph);
  const columns = graph.output.map(({ name }) => ({ name, ...columnOf(view, name) }));
  const cut = columns.filter(({ column }) => column !== undefined);
  const [first] = cut;
  const tensor = first?.tensor;
  if (
    !tensor ||
    cut.length < 2 ||
    cut.some((one, at) => one.tensor !== tensor || one.column !== at)
  )
    return undefined;
  const names = cut.map(({ name }) => name);
  const kept = graph.output.filter(({ name }) => !names.includes(name));
  graph.output = [...kept, floatOutput(tensor, cut.length)];
  return `Its outputs ${names.join(", ")} are one again: ${tensor}, from which they were cut.`;
}

function columnOf(view: GraphView, output: string) {
  const reshape = view.producerOf(output);
  const slice = view.producerOf(reshape?.input[0] ?? "");
  if (reshape?.opType !== "Reshape" || slice?.opType !== "Slice") return undefined;
  const [tensor = "", starts = "", , axes = ""] = slice.input;
  const numberOf = (name: string): number | undefined => {
    const constant = view.constantOf(name);
    return constant && "numbers" in constant && constant.numbers.length === 1
      ? constant.numbers[0]
      : undefined;
  };
  return numberOf(axes) === 1 ? { tensor, column: numberOf(starts) } : undefined;
}
