import type { ScoresOptions } from "../../functions/tasks/classification/options.ts";
import { numbersOf, type Tensors } from "../../functions/tensor.ts";
import type { TensorInfo } from "../../functions/platform/onnx/graph.ts";
import type { Meaning } from "./score-meaning.ts";

interface Answered {
  output: TensorInfo;
  labels: readonly string[];
  /** The value of the label output for each label, if it is not the label itself. */
  values: readonly (string | number)[] | undefined;
  label: TensorInfo | undefined;
  /** The graph's answers to made-up inputs. */
  tensors: Tensors | undefined;
  meaning: Meaning;
}

/**
 * Compares the scores of the manifest with the labels that the graph gave. With two labels it must be known which side
 * of 0 stands for which. With more, the label must have the highest value. Throws an Error if they do not fit.
 */
export function checkedScores(answered: Answered): ScoresOptions {
  const { output, labels, label, meaning } = answered;
  const scores: ScoresOptions = { output: output.name, ...meaning };
  if (!label) return scores;
  if ((label.shape[1] ?? 1) > 1) {
    if (!tellsLabels(answered, label)) throw independent(output, label);
    return scores;
  }
  const rows = rowsOf(answered);
  const width = output.shape.length === 1 ? 1 : (output.shape[1] ?? 1);
  if (meaning.kind !== "decision-values") {
    if (
      width === 1 &&
      rows.some(({ given, numbers }) => given !== Number(side(numbers[0], meaning)))
    )
      throw contradiction(output, label);
    if (meaning.activation !== "none" && width > 1) {
      if (meaning.activation === "softmax" && rows.every(isMirrored)) throw mirrored(output);
      if (rows.some(isElsewhere)) throw contradiction(output, label);
    }
    return scores;
  }
  if (labels.length > 2) {
    if (rows.some(isElsewhere)) throw contradiction(output, label);
    return scores;
  }
  const column = Array.from({ length: width }, (_, index) => index).find((index) =>
    rows.every(({ given, numbers }) => given === Number((numbers[index] ?? 0) > 0)),
  );
  if (rows.length === 0 || column === undefined) throw contradiction(output, label);
  return width === 1 ? scores : { ...scores, column: column as 0 | 1 };
}

/**
 * Whether the probability of each independent label tells whether it applies: above some threshold it does, and below it
 * does not. A graph may choose by another threshold than 0.5.
 */
function tellsLabels({ output, tensors, meaning }: Answered, label: TensorInfo): boolean {
  if (meaning.kind !== undefined) return true;
  const numbers = Array.from(numbersOf(tensors?.[output.name]?.data) ?? []);
  const given = Array.from((tensors?.[label.name]?.data as ArrayLike<unknown>) ?? [], String);
  const width = label.shape[1] ?? 1;
  return Array.from({ length: width }, (_, column) => {
    const own = numbers.filter((_, at) => at % width === column);
    const applies = (at: number) => given[at * width + column] === "1";
    const least = Math.min(...own.filter((_, at) => applies(at)));
    return own.every((number, at) => applies(at) || number < least);
  }).every(Boolean);
}

interface Row {
  /** The index of the label that the graph gave. */
  given: number;
  numbers: readonly number[];
}

/** Whether another label than the given one has the highest number. */
function isElsewhere({ given, numbers }: Row): boolean {
  return (numbers[given] ?? 0) < Math.max(...numbers);
}

/** Whether the two numbers are a decision value and its opposite. */
function isMirrored({ numbers: [first = 0, second = 0] }: Row): boolean {
  return first === -second;
}

/** Whether the one number for two labels stands for the second. */
function side(number = 0, { activation }: Meaning): boolean {
  return number > (activation === "sigmoid" ? 0 : 0.5);
}

function rowsOf({ output, labels, values = labels, label, tensors }: Answered): Row[] {
  const data = numbersOf(tensors?.[output.name]?.data);
  const given = Array.from((label && (tensors?.[label.name]?.data as ArrayLike<unknown>)) ?? []);
  const width = data ? data.length / given.length : 0;
  return given.map((one, row) => {
    const index = values.map(String).indexOf(String(one));
    if (index < 0)
      throw new Error(
        `The graph's label output ${label?.name} says ${JSON.stringify(String(one))}, which is none of the labels ${values.join(", ")}.`,
      );
    return { given: index, numbers: Array.from(data?.slice(row * width, (row + 1) * width) ?? []) };
  });
}

/** A softmax of d and -d is a sigmoid of 2d. */
function mirrored({ name }: TensorInfo): Error {
  return new Error(
    `The two numbers of ${name} are a decision value and its opposite, for which a softmax gives no probabilities that a library gives: scikit-learn takes a sigmoid. Say --scores sigmoid.`,
  );
}

function independent({ name }: TensorInfo, label: TensorInfo): Error {
  return new Error(
    `The numbers of ${name} do not go with the labels of ${label.name}: no threshold of a number says whether its label applies. skl2onnx is known to write such a graph for a DecisionTreeClassifier of independent labels. Train a RandomForestClassifier(n_estimators=1, bootstrap=False, max_features=None), which is such a tree, or answer with the labels alone: --scores none.`,
  );
}

function contradiction({ name }: TensorInfo, label: TensorInfo): Error {
  return new Error(
    `The numbers of ${name} do not go with the labels of ${label.name}: it is not known which number belongs to which label. Look at the order of --labels, or answer with the label alone: --scores none.`,
  );
}
