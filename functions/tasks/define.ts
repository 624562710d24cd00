import type * as z from "zod";
import { invalidInput, type NearcastError } from "../errors.ts";
import type { Tensors } from "../tensor.ts";

/** One run of the session: tensors for one or more rows of a request. */
export interface Run {
  feeds: Tensors;
  rows: number;
  /** How many tokens the tokenizer made of the rows, special tokens included, padding not. */
  tokens?: number;
}

/** What is made at once, or in parts where it can take long: between two of them others may have their turns. */
export type InParts<T> = T | Parts<T>;
export type Parts<T> = Generator<undefined, T, undefined>;

/** How one version's inputs become tensors, and how its tensors become answers; compiled once. */
export interface CompiledTask {
  /** Whether `inputs` is many inputs (an array of them) and not one. */
  isBatch(inputs: unknown): boolean;
  /** Inputs as runs, in order. Throws `invalid_input` with every bad row's path. */
  preprocess(rows: readonly unknown[], pathOf: PathOf, longTexts?: LongTexts): InParts<Run[]>;
  /** The outputs to compute. */
  outputNames: readonly string[];
  /** For a request's `parameters`, what makes its answers. Throws `invalid_input`. */
  postprocessor(parameters: unknown): Postprocess;
  /** What a failed run says of the request; absent where a checked input can only fail on a bad model. */
  refusal?(cause: unknown): NearcastError;
}

/** What becomes of a text with more tokens than the model takes: it is cut (the default), or refused. */
export type LongTexts = "cut" | "refuse";

/** One answer a row of the run that made the outputs. */
export type Postprocess = (outputs: Tensors, run: Run) => unknown[];

/** The path of a row in the request, for error messages: `inputs` or `inputs[3]`. */
export type PathOf = (row: number) => string;

/** The files that a manifest lists as assets, by name, their digests checked. */
export type Assets = ReadonlyMap<string, Uint8Array>;

/** Reads a request's `parameters`; absent means none. Throws `invalid_input`. */
export function parseParameters<T>(schema: z.ZodType<T>, parameters: unknown): T {
  const result = schema.safeParse(parameters ?? {});
  if (result.success) return result.data;
  throw invalidInput(
    result.error.issues.map(({ path, message }) => ({
      path: ["parameters", ...path].join("."),
      message,
    })),
  );
}
