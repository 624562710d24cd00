import type { Limits } from "../../model/limits.ts";
import { invalidInput, type InputIssue } from "../../errors.ts";
import { MAX_PADDED_CHARACTERS } from "../check-tensors.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { createTextBudget } from "../text-budget.ts";
import { textProblem } from "./problem.ts";
import { tokenBatcher } from "./batch.ts";
import { Effort } from "./effort.ts";
import { TEXT_LENGTH, TOKENS } from "./quantities.ts";
import { openTokenizer, type CutEncoding, type TextInput } from "./tokenizer.ts";
import type { Assets, Parts, PreprocessOptions, Run } from "../define.ts";
import type { TextOptions, textOptions } from "./options.ts";

/**
 * A normalised text may have this many times the characters of the longest allowed text. Korean and Vietnamese letters
 * become three; rare characters become eighteen.
 */
export const MOST_EXPANSION = 4;

type TextManifest = ManifestOf<typeof textOptions>;

/**
 * The part that all text tasks share: turns texts into tensors. Without `text` in the manifest, one input is a string.
 * It goes into the graph unchanged, as BYTES `[rows]` or `[rows, 1]`. With `text`, one input is a string or `{text,
 * text_pair}`. The tokenizer then makes the graph's inputs: `input_ids`, `attention_mask` and `token_type_ids`, or some
 * of them.
 */
export function textInputs(
  manifest: TextManifest,
  limits: Limits,
  assets: Assets,
  options: { tokensPerRun?: number } = {},
) {
  return manifest.text
    ? tokenizedText({ ...manifest, text: manifest.text }, limits, {
        tokenizer: openTokenizer(manifest.text, assets),
        ...options,
      })
    : plainText(manifest, limits);
}

function plainText({ task, inputs }: TextManifest, limits: Limits) {
  const input = inputs[0];
  const perRow = input?.shape.slice(1) ?? [];
  if (
    !input ||
    inputs.length > 1 ||
    input.datatype !== "BYTES" ||
    perRow.length > 1 ||
    perRow.some((size) => size !== 1)
  )
    throw new Error(
      `task ${task} needs one BYTES input of shape [-1] or [-1, 1], or text with a tokenizer`,
    );
  return {
    quantities: [TEXT_LENGTH],
    preprocess(rows: readonly unknown[], { pathOf, sentBytes }: PreprocessOptions<unknown>) {
      const issues = rows.flatMap((text, row) => {
        const message = textProblem(text, limits);
        return message === undefined ? [] : { path: pathOf(row), message };
      });
      if (issues.length > 0) throw invalidInput(issues);
      const budget = createTextBudget(sentBytes);
      for (const [row, text] of rows.entries())
        try {
          budget.takeCharacters((text as string).length);
        } catch (error) {
          throw refused(error, pathOf(row));
        }
      // A lone surrogate has no UTF-8 form. Native and WASM would replace it in different ways.
      const texts = rows.map((text) => (text as string).toWellFormed());
      return inBatches(texts).map((data) => {
        const tensor = { datatype: "BYTES" as const, shape: [data.length, ...perRow], data };
        return { feeds: { [input.name]: tensor }, rows: data.length };
      });
    },
  };
}

/** Texts in order, in as few runs as {@link MAX_PADDED_CHARACTERS} allows. */
function inBatches(texts: readonly string[]): string[][] {
  const batches: string[][] = [];
  let longest = 0;
  for (const text of texts) {
    const batch = batches.at(-1);
    longest = Math.max(longest, text.length);
    if (batch && (batch.length + 1) * longest <= MAX_PADDED_CHARACTERS) batch.push(text);
    else {
      batches.push([text]);
      longest = text.length;
    }
  }
  return batches;
}

/** Texts for a tokenizer. A run has at most `tokensPerRun` tokens, as long as it has several rows. */
export function tokenizedText(
  manifest: TextManifest & { text: TextOptions },
  limits: Limits,
  {
    tokenizer,
    tokensPerRun,
  }: { tokenizer: ReturnType<typeof openTokenizer>; tokensPerRun?: number },
) {
  const toRuns = tokenBatcher(manifest, tokenizer.padding, tokensPerRun);
  const { text: options } = manifest;
  const { maxLength } = options;
  return {
    maxTokens: maxLength,
    quantities: [TEXT_LENGTH, TOKENS],
    *preprocess(
      rows: readonly unknown[],
      { pathOf, parameters, longTexts = "cut", sentBytes }: PreprocessOptions<unknown>,
    ): Parts<Run[]> {
      const issues: InputIssue[] = [];
      const prompt = promptOf(options, parameters as TextParameters);
      const texts = rows.map((row, index) => readText(row, pathOf(index), limits, issues));
      if (issues.length > 0) throw invalidInput(issues);
      const budget = createTextBudget(sentBytes, prompt.length * rows.length);
      const encodings: CutEncoding[] = [];
      const mostCharacters = limits.textLength * MOST_EXPANSION;
      const encodeOptions = { longTexts, mostCharacters, budget, effort: new Effort() };
      for (const [row, { text, pair = "" }] of texts.entries())
        try {
          budget.takeCharacters(text.length + pair.length);
        } catch (error) {
          throw refused(error, pathOf(row));
        }
      for (const [row, text] of texts.entries())
        try {
          const given = { ...text, text: prompt + text.text };
          const encoding = yield* tokenizer.encode(given, encodeOptions);
          // The first one is enough: the tokens of all others would be counted for nothing.
          if (longTexts === "refuse" && encoding.uncut > maxLength)
            throw new RangeError(`must have at most ${maxLength} tokens, has ${encoding.uncut}`);
          budget.takeTokens(encoding.input_ids.length);
          encodings.push(encoding);
        } catch (error) {
          throw refused(error, pathOf(row));
        }
      return toRuns(encodings);
    },
  };
}

/** The error for a text that is refused with a RangeError; any other error as it is. */
function refused(error: unknown, path: string): unknown {
  return error instanceof RangeError ? invalidInput([{ path, message: error.message }]) : error;
}

/** The parameters of requests, for tasks with prompts. */
interface TextParameters {
  prompt_name?: string | undefined;
}

/** The prompt that goes before each text. Throws `invalid_input` for a name that the manifest does not have. */
export function promptOf(
  { prompts = {}, defaultPrompt }: TextOptions,
  { prompt_name: name = defaultPrompt }: TextParameters,
): string {
  if (name === undefined) return "";
  if (Object.hasOwn(prompts, name)) return prompts[name] ?? "";
  const names = Object.keys(prompts);
  const allowed = names.length > 0 ? `must be one of ${names.join(", ")}` : "this model has none";
  throw invalidInput([{ path: "parameters.prompt_name", message: allowed }]);
}

function readText(row: unknown, path: string, limits: Limits, issues: InputIssue[]): TextInput {
  const read = (value: unknown, at: string): string => {
    if (typeof value !== "string") issues.push({ path: at, message: "must be a string" });
    else if (value.length > limits.textLength)
      issues.push({
        path: at,
        message: `must have at most ${limits.textLength} characters, has ${value.length}`,
      });
    else return value.toWellFormed();
    return "";
  };
  if (typeof row === "string") return { text: read(row, path) };
  if (typeof row !== "object" || row === null || Array.isArray(row)) {
    issues.push({ path, message: "must be a string, or an object of text and text_pair" });
    return { text: "" };
  }
  const { text, text_pair: pair, ...others } = row as Record<string, unknown>;
  for (const name of Object.keys(others))
    issues.push({ path: `${path}.${name}`, message: "is neither text nor text_pair" });
  return {
    text: read(text, `${path}.text`),
    ...(pair !== undefined && { pair: read(pair, `${path}.text_pair`) }),
  };
}
