import type * as z from "zod";
import { invalidInput } from "../errors.ts";
import type { Tensors } from "../tensor.ts";

/** How one version's inputs become tensors, and how its tensors become answers; compiled once. */
export interface CompiledTask {
  /** Whether `inputs` is many inputs (an array of them) and not one. */
  isBatch(inputs: unknown): boolean;
  /** Inputs as row-major tensors, one row each. Throws `invalid_input` with every bad row's path. */
  preprocess(rows: readonly unknown[], pathOf: PathOf): Tensors;
  /** The outputs to compute. */
  outputNames: readonly string[];
  /** For a request's `parameters`, what makes its answers. Throws `invalid_input`. */
  postprocessor(parameters: unknown): Postprocess;
}

/** One answer a row. */
export type Postprocess = (outputs: Tensors, rows: number) => unknown[];

/** The path of a row in the request, for error messages: `inputs` or `inputs[3]`. */
export type PathOf = (row: number) => string;

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
