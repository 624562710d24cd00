import { invalidInput, type InputIssue } from "../../errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import { answerNumber } from "../answer-numbers.ts";
import type { Assets, CompiledTask, Parts, Run } from "../define.ts";
import { compile as compileVectors } from "../feature-extraction/compile.ts";
import type { textOptions } from "../text/options.ts";
import { textIssue } from "../text/problem.ts";
import { TOKENS } from "../text/quantities.ts";
import { withContext } from "../with-context.ts";

/** A text that is a row of a run: the source sentence, or one of the others. */
interface Row {
  /** The number of its input in the request. */
  input: number;
  text: string;
  path: string;
}

/** Compares the vectors of sentences. Each sentence is a row. */
export function compile(
  manifest: ManifestOf<typeof textOptions>,
  limits: Limits,
  assets: Assets,
): CompiledTask<{ prompt_name?: string | undefined }> {
  const { pooling } = manifest.text ?? {};
  if (pooling === "none" || pooling === "splade")
    throw new Error(
      `task ${manifest.task} needs one vector for a text: text.pooling is ${pooling}`,
    );
  const vectors = compileVectors(manifest, limits, assets);

  return {
    ...(vectors.maxTokens !== undefined && { maxTokens: vectors.maxTokens }),
    quantities: [...(manifest.text ? [TOKENS] : []), HIGHEST],
    outputNames: vectors.outputNames,
    answerBytes: ({ rows }) => rows * NUMBER_BYTES,
    *preprocess(inputs, options): Parts<readonly Run[]> {
      const { pathOf } = options;
      const issues: InputIssue[] = [];
      const rows = inputs.flatMap((one, input) =>
        rowsOf(one, input, pathOf(input), limits, issues),
      );
      if (issues.length > 0) throw invalidInput(issues);
      if (rows.length > limits.batch)
        throw invalidInput([
          {
            path: "inputs",
            message: `must have at most ${limits.batch} sentences in all, have ${rows.length}`,
          },
        ]);
      const made = vectors.preprocess(
        rows.map(({ text }) => text),
        { ...options, pathOf: (row) => rows[row]?.path ?? "inputs" },
      );
      const runs = "next" in made ? yield* made : made;
      return withContext(runs, rows);
    },
    postprocess: (outputs, run) => vectors.postprocess(outputs, run, {}),
    combine(answers, runs) {
      const byInput: number[][][] = [];
      const rows = runs.flatMap(({ context }) => context as Row[]);
      for (const [row, { input }] of rows.entries())
        (byInput[input] ??= []).push(answers[row] as number[]);
      return byInput.map(([source = [], ...others]) =>
        others.map((vector) => cosine(source, vector)),
      );
    },
  };
}

function rowsOf(
  given: unknown,
  input: number,
  path: string,
  limits: Limits,
  issues: InputIssue[],
): Row[] {
  const refuse = (at: string, message: string): Row[] => {
    issues.push({ path: at, message });
    return [];
  };
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return refuse(path, "must be an object of source_sentence and sentences");
  const { source_sentence: source, sentences, ...others } = given as Record<string, unknown>;
  for (const name of Object.keys(others))
    refuse(`${path}.${name}`, "is neither source_sentence nor sentences");
  if (!Array.isArray(sentences) || sentences.length === 0)
    return refuse(`${path}.sentences`, "must be an array of at least one string");
  if (sentences.length >= limits.batch)
    return refuse(
      `${path}.sentences`,
      `must have at most ${limits.batch - 1} sentences, has ${sentences.length}`,
    );
  const rows = [
    { text: source as string, path: `${path}.source_sentence`, input },
    ...sentences.map((text: string, at) => ({ text, path: `${path}.sentences[${at}]`, input })),
  ];
  for (const { text, path: at } of rows) issues.push(...textIssue(text, at, limits));
  return rows;
}

function cosine(one: readonly number[], other: readonly number[]): number {
  let [sum, ones, others] = [0, 0, 0];
  for (let at = 0; at < one.length; at++) {
    const [a, b] = [one[at] ?? 0, other[at] ?? 0];
    sum += a * b;
    ones += a * a;
    others += b * b;
  }
  const lengths = Math.sqrt(ones) * Math.sqrt(others);
  return lengths === 0 ? 0 : sum / lengths;
}

const HIGHEST = answerNumber("score", (answer) => Math.max(...(answer as number[])));
