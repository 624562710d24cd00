import type { OnnxNode } from "../../functions/platform/onnx/model.ts";
import { attributeOf, decode, type GraphView } from "../../functions/platform/onnx/view.ts";

/** The value that a graph wants for a missing value of a column. Undefined if the column takes none. */
export type TakesMissing = "NaN" | "nan" | undefined;

/** The columns of a tensor. Each has the columns of the graph's inputs that its values come from. */
type Columns = readonly ReadonlySet<string>[];

/** Operators that pass on each value by itself, NaN as NaN. */
const EACH = new Set(["Identity", "Cast", "Scaler", "Add", "Sub", "Mul", "Div", "Neg"]);
/** Operators that pass on the same values in another form. */
const RESHAPES = new Set(["Reshape", "Flatten", "Squeeze", "Unsqueeze"]);
/** The name that a converter gives to the category of missing values in the training data. */
const MISSING_TEXT = "nan";
/** TensorProto.DataType of the floats: float32, float16, float64, bfloat16. */
const FLOATS = new Set([1, 10, 11, 16]);

/**
 * The columns of the inputs in which a graph takes missing values. All that is computed from such a column goes into an
 * imputer, into trees that say where missing values go, or into an encoder with a category for them. `widths` are the
 * numbers of columns of the inputs. {@link columnKey} makes the keys.
 */
export function missingColumns(
  view: GraphView,
  widths: ReadonlyMap<string, number>,
): Map<string, TakesMissing> {
  const tensors = new Map<string, Columns>();
  for (const [input, width] of widths)
    tensors.set(
      input,
      Array.from({ length: width }, (_, column) => new Set([columnKey(input, column)])),
    );
  const taken = new Map<string, Set<TakesMissing>>();
  const note = (columns: Columns, what: TakesMissing) => {
    for (const key of columns.flatMap((column) => [...column]))
      taken.set(key, (taken.get(key) ?? new Set()).add(what));
  };

  for (const node of view.graph.node) {
    const given = node.input.map((name) => tensors.get(name) ?? []);
    const all = given.flat();
    if (all.length === 0) continue;
    const end = endOf(view, node);
    const next = end ? undefined : handedOn(view, node, given);
    if (next) for (const output of node.output) tensors.set(output, next);
    else note(all, end === "refuses" ? undefined : end);
  }
  for (const { name } of view.graph.output) note(tensors.get(name) ?? [], undefined);

  const columns = [...taken].map(([key, ends]) => {
    const [only, ...others] = ends;
    return [key, others.length === 0 ? only : undefined] as const;
  });
  return new Map(columns);
}

export function columnKey(input: string, column: number): string {
  return `${column} ${input}`;
}

/** What happens to a missing value that is not passed on. Undefined for an operator that is no end. */
function endOf(view: GraphView, node: OnnxNode): "NaN" | "nan" | "refuses" | undefined {
  switch (node.opType) {
    case "Imputer":
      return Number.isNaN(attributeOf(node, "replaced_value_float")?.f ?? 0) ? "NaN" : undefined;
    case "TreeEnsembleClassifier":
    case "TreeEnsembleRegressor":
      return knowsDirections(node) ? "NaN" : "refuses";
    case "OneHotEncoder":
      return hasMissingText(node, "cats_strings") ? MISSING_TEXT : "refuses";
    case "LabelEncoder":
      return hasMissingText(node, "keys_strings") ? MISSING_TEXT : "refuses";
    case "IsNaN":
    case "Where":
      return isReplaced(view, node) ? "NaN" : "refuses";
    default:
      return undefined;
  }
}

/**
 * Trees say for each node where a missing value goes. skl2onnx says "not to the true branch" for all nodes of forests,
 * wherever scikit-learn sends it. Such nodes compare with BRANCH_LEQ. The trees of XGBoost and CatBoost compare
 * otherwise, and what they say is right.
 */
function knowsDirections(node: OnnxNode): boolean {
  const directions = attributeOf(node, "nodes_missing_value_tracks_true")?.ints ?? [];
  const modes = (attributeOf(node, "nodes_modes")?.strings ?? []).map(decode);
  return directions.some((one) => one !== 0n) || (directions.length > 0 && isForeign(modes));
}

function isForeign(modes: readonly string[]): boolean {
  const branches = modes.filter((mode) => mode !== "LEAF");
  return (
    branches.length > 0 && branches.every((mode) => mode === "BRANCH_LT" || mode === "BRANCH_GT")
  );
}

function hasMissingText(node: OnnxNode, attribute: string): boolean {
  return (attributeOf(node, attribute)?.strings ?? []).map(decode).includes(MISSING_TEXT);
}

/** Where(IsNaN(x), constant, x), either operator of it. */
function isReplaced(view: GraphView, { opType, input, output }: OnnxNode): boolean {
  if (opType === "Where") {
    const [condition = "", replacement = "", kept = ""] = input;
    const test = view.producerOf(condition);
    const isTest = test?.opType === "IsNaN" && test.input[0] === kept;
    return isTest && view.constantOf(replacement) !== undefined;
  }
  return view.graph.node.some(
    (one) => one.opType === "Where" && one.input[0] === output[0] && isReplaced(view, one),
  );
}

/** The columns of the operator's output. Undefined if it makes one value of many, or is not known here. */
function handedOn(view: GraphView, node: OnnxNode, given: readonly Columns[]): Columns | undefined {
  const [first = []] = given;
  const { opType, input } = node;
  const numberOf = (name: string) => Number(attributeOf(node, name)?.i ?? 0);
  // NaN has no integer.
  if (opType === "Cast" && !FLOATS.has(numberOf("to"))) return undefined;
  if (EACH.has(opType) || opType === "Imputer") {
    const [wide, ...others] = given.filter((columns) => columns.length > 0);
    return others.length === 0 ? wide : undefined;
  }
  if (RESHAPES.has(opType)) return first.map(() => new Set(first.flatMap((column) => [...column])));
  if (opType === "Concat" && isLastAxis(numberOf("axis")))
    return given.every(({ length }) => length > 0) ? given.flat() : undefined;
  const picks = opType === "Gather" && isLastAxis(numberOf("axis"));
  if (!picks && opType !== "ArrayFeatureExtractor") return undefined;
  const picked = view.constantOf(input[1] ?? "");
  const indices = picked && "numbers" in picked ? picked.numbers : [];
  const columns = indices.map((index) => first[index < 0 ? index + first.length : index]);
  return columns.length > 0 && columns.every((one) => one !== undefined) ? columns : undefined;
}

/** Tables have rows and columns. */
function isLastAxis(axis: number): boolean {
  return axis === 1 || axis === -1;
}
