import { postTransform } from "../../functions/platform/onnx/labels.ts";
import type { OnnxNode } from "../../functions/platform/onnx/model.ts";
import { attributeOf, type GraphView } from "../../functions/platform/onnx/view.ts";

/** Between what the elements of a tensor lie. */
export interface Range {
  least: number;
  most: number;
}

const ANY: Range = { least: -Infinity, most: Infinity };
const UNIT: Range = { least: 0, most: 1 };
const POSITIVE: Range = { least: 0, most: Infinity };

/** Operators whose elements are among those of their first input. */
const PICKS = new Set(
  "ArrayFeatureExtractor Cast Dropout Expand Flatten Gather Identity Reshape ReduceMax ReduceMean ReduceMin Slice Split Squeeze Tile TopK Transpose Unsqueeze".split(
    " ",
  ),
);
const TRUTHS = new Set(
  "And Equal Greater GreaterOrEqual HardSigmoid IsNaN Less LessOrEqual Not Or Sigmoid Softmax".split(
    " ",
  ),
);
/** Operators that make numbers of any size, and never probabilities by themselves. */
const UNBOUNDED = new Set(
  "BatchNormalization Conv Gemm LayerNormalization LinearRegressor Log LogSoftmax MatMul Neg ReduceLogSumExp SVMRegressor Scaler TreeEnsembleRegressor".split(
    " ",
  ),
);

/** The range of a tensor as its operators show it. Undefined where one of them is not known here. */
export function rangeOf(view: GraphView, tensor: string): Range | undefined {
  const known = new Map<string, Range | undefined>();

  function of(name: string): Range | undefined {
    if (!known.has(name)) {
      known.set(name, undefined);
      known.set(name, compute(name));
    }
    return known.get(name);
  }

  function compute(name: string): Range | undefined {
    if (view.graph.input.some((input) => input.name === name)) return ANY;
    const constant = view.constantOf(name);
    if (constant) return "numbers" in constant ? spanOf(constant.numbers) : undefined;
    const node = view.producerOf(name);
    return node && rangeOfNode(node, name);
  }

  function rangeOfNode(node: OnnxNode, name: string): Range | undefined {
    const { opType } = node;
    const [first = "", second = ""] = node.input;
    if (TRUTHS.has(opType)) return UNIT;
    if (UNBOUNDED.has(opType)) return ANY;
    if (PICKS.has(opType)) return of(first);
    if (opType.endsWith("Classifier"))
      return name === node.output[1] ? rangeOfScores(node) : undefined;
    if (opType === "Concat" || opType === "Max" || opType === "Min" || opType === "Mean")
      return union(node.input.map(of));
    if (opType === "Where") return union(node.input.slice(1).map(of));
    // What is left of signed numbers is neither a share nor the number itself.
    if (opType === "Normalizer" || opType === "LpNormalization")
      return (of(first)?.least ?? -1) >= 0 ? UNIT : undefined;
    if (opType === "Div" && isShare(view, first, second) && (of(first)?.least ?? -1) >= 0)
      return UNIT;
    if (opType === "Exp" && isLogShare(view, first)) return UNIT;
    const inputs = node.input.map(of);
    if (inputs.some((one) => one === undefined)) return undefined;
    return arithmetic(opType, inputs as Range[]);
  }

  return of(tensor);
}

/** x / ReduceSum(x), with the repairs that converters put around a sum of 0. */
function isShare(view: GraphView, part: string, whole: string): boolean {
  return view.graph.node.some(
    ({ opType, input, output }) =>
      opType === "ReduceSum" &&
      view.comesFrom(whole, output[0] ?? "") &&
      view.comesFrom(part, input[0] ?? ""),
  );
}

/** exp(x - logsumexp(x)). */
function isLogShare(view: GraphView, exponent: string): boolean {
  const difference = view.producerOf(exponent);
  const [part = "", whole = ""] = difference?.input ?? [];
  return (
    difference?.opType === "Sub" &&
    view.graph.node.some(
      ({ opType, input, output }) =>
        opType === "ReduceLogSumExp" &&
        view.comesFrom(whole, output[0] ?? "") &&
        view.comesFrom(part, input[0] ?? ""),
    )
  );
}

function arithmetic(opType: string, inputs: readonly Range[]): Range | undefined {
  const [a = ANY, b = ANY, c = ANY] = inputs;
  const bounded = (...corners: number[]): Range =>
    corners.some(Number.isNaN) ? ANY : { least: Math.min(...corners), most: Math.max(...corners) };
  switch (opType) {
    case "Add":
    case "Sum":
      return inputs.reduce((sum, one) => ({
        least: sum.least + one.least,
        most: sum.most + one.most,
      }));
    case "Sub":
      return { least: a.least - b.most, most: a.most - b.least };
    case "Mul":
      return bounded(a.least * b.least, a.least * b.most, a.most * b.least, a.most * b.most);
    case "Div":
      // A divisor that can come near 0 makes numbers of any size.
      return b.least > 0
        ? bounded(a.least / b.least, a.least / b.most, a.most / b.least, a.most / b.most)
        : ANY;
    case "Reciprocal":
      return a.least > 0 ? { least: 1 / a.most, most: 1 / a.least } : ANY;
    case "Exp":
      return { least: Math.exp(a.least), most: Math.exp(a.most) };
    case "Clip":
      return { least: Math.max(a.least, b.least), most: Math.min(a.most, c.most) };
    case "Relu":
      return { least: Math.max(a.least, 0), most: Math.max(a.most, 0) };
    case "Abs":
    case "Sqrt":
    case "Pow":
      return opType === "Pow" && a.least < 0 ? ANY : POSITIVE;
    case "ReduceSum":
      return a.least >= 0 ? POSITIVE : ANY;
    case "Tanh":
    case "Sign":
      return { least: -1, most: 1 };
    default:
      return undefined;
  }
}

function union(ranges: readonly (Range | undefined)[]): Range | undefined {
  return ranges.includes(undefined)
    ? undefined
    : spanOf((ranges as Range[]).flatMap(({ least, most }) => [least, most]));
}

function spanOf(numbers: readonly number[]): Range {
  let [least, most] = [Infinity, -Infinity];
  for (const number of numbers) {
    if (number < least) least = number;
    if (number > most) most = number;
  }
  return { least, most };
}

/** The scores of the classifiers of ai.onnx.ml. */
function rangeOfScores(node: OnnxNode): Range | undefined {
  const transform = postTransform(node);
  if (transform === "LOGISTIC" || transform === "SOFTMAX") return UNIT;
  if (transform !== "NONE") return undefined;
  if (node.opType === "SVMClassifier")
    return (attributeOf(node, "prob_a")?.floats.length ?? 0) > 0 ? UNIT : ANY;
  return node.opType === "TreeEnsembleClassifier" ? rangeOfVotes(node) : ANY;
}

/** The sum, over the trees, of what their leaves give a class. */
function rangeOfVotes(node: OnnxNode): Range {
  const list = (name: string) => attributeOf(node, name);
  const weights = list("class_weights")?.floats ?? [];
  const trees = list("class_treeids")?.ints ?? [];
  const classes = list("class_ids")?.ints ?? [];
  const leaves = new Map<string, Range>();
  weights.forEach((weight, index) => {
    const key = `${classes[index]}/${trees[index]}`;
    const { least, most } = leaves.get(key) ?? { least: weight, most: weight };
    leaves.set(key, { least: Math.min(least, weight), most: Math.max(most, weight) });
  });
  const sums = new Map<string, Range>();
  for (const [key, { least, most }] of leaves) {
    const [label = ""] = key.split("/");
    const sum = sums.get(label) ?? { least: 0, most: 0 };
    sums.set(label, { least: sum.least + least, most: sum.most + most });
  }
  const base = spanOf([0, ...(list("base_values")?.floats ?? [])]);
  const { least, most } = union([...sums.values()]) ?? ANY;
  return { least: least + base.least, most: most + base.most };
}

/** Sums of float32 shares are not exactly 1. */
const ROUNDING = 1e-4;

/** Whether numbers of this range can be probabilities. */
export function isProbability({ least, most }: Range): boolean {
  return least >= -ROUNDING && most <= 1 + ROUNDING;
}
