import { NearcastError } from "../../errors.ts";
import { numbersOf, type Tensors } from "../../tensor.ts";
import type { TaskVersion } from "../define.ts";
import { charactersIn } from "./characters.ts";
import type { imageToTextOptions } from "./options.ts";

/** The text of a picture, with the mean probability of its characters where the graph gives some. */
export interface ReadText {
  generated_text: string;
  score?: number;
}

export interface TextReader {
  output: string;
  isScored: boolean;
  /** The most numbers that a picture has in the output. A text has no more steps than its picture is wide. */
  numbers: number;
  /** Opens a run's output. Throws `model_corrupt` where it holds no texts, and so does what it gives. */
  open(outputs: Tensors, rows: number): (row: number) => ReadText;
}

type Version = Pick<TaskVersion<typeof imageToTextOptions>, "manifest" | "assets">;

/** A probability may be a little above 1 by rounding. */
const MOST_PROBABLE = 1.001;

/** Reads texts from the classes of steps. Throws an Error where the manifest's fields do not fit together. */
export function textReader(version: Version): TextReader {
  const { name, recognition, image } = version.manifest;
  const { blank, end, activation } = recognition;
  const texts = textsOfClasses(version);
  const count = texts.length;
  const output = outputOf(version, count);
  const isScored = activation !== undefined;
  const [, mostSteps = -1] = output.shape;

  function corrupt(reason: string): NearcastError {
    return new NearcastError("model_corrupt", `${name} has no answer: ${reason}.`);
  }

  /** The class with the highest number. */
  function bestOf(numbers: ArrayLike<number>, from: number): number {
    let best = 0;
    for (let one = 0; one < count; one++) {
      const value = numbers[from + one]!;
      if (!Number.isFinite(value)) throw corrupt("one of its numbers is not finite");
      if (value > numbers[from + best]!) best = one;
    }
    return best;
  }

  function probabilityOf(numbers: ArrayLike<number>, from: number, one: number): number {
    const own = numbers[from + one]!;
    if (activation === "none") {
      if (own < 0 || own > MOST_PROBABLE) throw corrupt("a probability is not from 0 to 1");
      return Math.min(1, own);
    }
    let sum = 0;
    for (let other = 0; other < count; other++) sum += Math.exp(numbers[from + other]! - own);
    return 1 / sum;
  }

  function known(value: number | bigint | undefined): number {
    const one = Number(value);
    if (one >= 0 && one < count) return one;
    throw corrupt(`a step has the class ${one}, and there are ${count}`);
  }

  return {
    output: output.name,
    isScored,
    numbers: (mostSteps === -1 ? image.width : mostSteps) * (isScored ? count : 1),
    open(made, rows) {
      const { shape = [], data } = made[output.name] ?? {};
      const [first, steps = 0, width = 1] = shape;
      const numbers = isScored ? numbersOf(data) : (data as BigInt64Array | Int32Array | undefined);
      const fits = shape.length === output.shape.length && first === rows && steps > 0;
      if (!numbers || !fits || (isScored && width !== count))
        throw corrupt(`its output ${output.name} has another shape than its manifest says`);
      return (row) => {
        const placeOf = (step: number) => (row * steps + step) * width;
        const classes = Array.from({ length: steps }, (_, step) =>
          isScored ? bestOf(numbers as Float32Array, placeOf(step)) : known(numbers[placeOf(step)]),
        );
        const kept = charactersAmong(classes, { blank, end });
        const text = kept.map((step) => texts[classes[step]!]).join("");
        if (!isScored) return { generated_text: text };
        const scores = kept.map((step) =>
          probabilityOf(numbers as Float32Array, placeOf(step), classes[step]!),
        );
        const sum = scores.reduce((total, score) => total + score, 0);
        return { generated_text: text, score: sum / Math.max(1, scores.length) };
      };
    },
  };
}

/** The steps that are characters: the first of equal ones and none that is blank (CTC), or all before the end. */
function charactersAmong(
  classes: readonly number[],
  { blank, end }: { blank?: number | undefined; end?: number | undefined },
): number[] {
  const stop = end === undefined ? -1 : classes.indexOf(end);
  const steps = [...(stop < 0 ? classes : classes.slice(0, stop)).keys()];
  if (blank === undefined) return steps;
  return steps.filter((step) => classes[step] !== blank && classes[step] !== classes[step - 1]);
}

/** The text of each class. */
function textsOfClasses({ manifest, assets }: Version): string[] {
  const { characters: file, blank, end } = manifest.recognition;
  const special = blank ?? end;
  if (special === undefined || (blank !== undefined && end !== undefined))
    throw new Error("recognition must have blank (CTC) or end, and not both");
  const bytes = assets.get(file);
  if (!bytes) throw new Error(`recognition.characters ${file} is not an asset`);
  const characters = charactersIn(bytes);
  if (special > characters.length)
    throw new Error(
      `recognition.${blank === undefined ? "end" : "blank"} must be at most ${characters.length}, since ${file} has so many characters`,
    );
  return characters.toSpliced(special, 0, "");
}

/** The output with numbers of so many classes, or with classes. */
function outputOf({ manifest: { outputs, recognition } }: Version, count: number) {
  const output = outputs.find(({ name }) => name === recognition.output);
  const [, , width] = output?.shape ?? [];
  const isOfClasses =
    ["INT64", "INT32"].includes(output?.datatype ?? "") && output?.shape.length === 2;
  const isOfNumbers =
    ["FP32", "FP64", "FP16"].includes(output?.datatype ?? "") &&
    output?.shape.length === 3 &&
    (width === count || width === -1);
  if (!output || (!isOfClasses && !isOfNumbers))
    throw new Error(
      `recognition.output must name an FP32, FP64 or FP16 output of shape [-1, -1, ${count}], which has the characters' classes and one more, or an INT64 or INT32 output of shape [-1, -1]; -1 is any size`,
    );
  if (isOfNumbers !== (recognition.activation !== undefined))
    throw new Error(
      "recognition.activation goes with an output of numbers, which needs it, and not with one of classes",
    );
  return output;
}
