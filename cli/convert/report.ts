import { readFile, stat } from "node:fs/promises";
import * as z from "zod";
import { datatypeNames } from "../../functions/tensor.ts";
import { SCORES_FLAGS } from "../add/score-meaning.ts";

const REPORT_BYTES = 256 * 1024 * 1024;

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const row = z.union([z.string(), z.record(z.string(), cell)]);

const answer = z.strictObject({
  value: z.number().optional(),
  /** Several numbers, by target. */
  values: z.record(z.string(), z.number()).optional(),
  anomaly: z.boolean().optional(),
  label: z.string().optional(),
  /** Independent labels: those that apply. */
  labels: z.array(z.string()).optional(),
  /** Scores, or decision values. Of an anomaly, its `score`. */
  numbers: z.record(z.string(), z.number()).optional(),
});

const oneCase = z.strictObject({
  kind: z.enum(["random", "split", "category", "unknown", "missing", "data"]),
  row,
  /** The row of the data, from 0. */
  at: z.number().int().optional(),
  /** The column that is missing, or unknown. */
  column: z.string().optional(),
  expected: answer,
  /** What the original answers for the neighbouring float32, next to a jump of a model without trees. */
  neighbour: answer.optional(),
});

const feature = z.strictObject({
  name: z.string().min(1),
  type: z.enum(["number", "integer", "string"]),
  range: z.strictObject({ minimum: z.number(), maximum: z.number() }).optional(),
  /** The texts that the encoders know. */
  known: z.array(z.string()).optional(),
  /** Whether the model refuses other texts. */
  refusesUnknown: z.boolean().optional(),
  missing: z.union([z.string(), z.number()]).optional(),
});

export const made = z.strictObject({
  /** What was read, in words. */
  about: z.string(),
  /** The classes, or the targets of a regression of several numbers. */
  labels: z.array(z.string()).nullable(),
  /** Absent for a classifier, and for a regression of one number. */
  task: z.enum(["tabular-regression", "tabular-anomaly-detection"]).optional(),
  /** Absent for a model of texts. */
  features: z.array(feature).optional(),
  /** Whether a missing number may be lost on the way, unless the graph's operators show what becomes of it. */
  losesMissing: z.boolean().optional(),
  graphs: z
    .array(
      z.strictObject({
        file: z.enum(["float.onnx", "double.onnx"]),
        precision: z.enum(["float", "double"]),
        scores: z.enum(SCORES_FLAGS).nullable(),
      }),
    )
    .min(1),
  cases: z.array(oneCase).min(1),
  /** Labelled rows to measure by. */
  data: z.array(
    z.strictObject({ input: row, label: z.union([z.string(), z.number()]), line: z.number() }),
  ),
});

const tensors = z.record(
  z.string(),
  z.strictObject({
    datatype: z.enum(datatypeNames).exclude(["BYTES", "UINT16", "UINT32", "UINT64"]),
    shape: z.array(z.number().int().nonnegative()),
    /** Little-endian elements. */
    data: z.base64(),
  }),
);

/** What is read of a network. Its graph is `model.onnx` in the folder. */
export const network = z.strictObject({
  about: z.string(),
  /** Why its batch has one size only. */
  fixed: z.string().optional(),
  /** Outputs whose numbers are nearly the same for all inputs. */
  still: z.array(z.string()).optional(),
  cases: z.array(z.strictObject({ inputs: tensors, outputs: tensors })).min(1),
  /** What the original says to texts and pictures, as this task answers. */
  answers: z
    .strictObject({
      task: z.string(),
      cases: z.array(
        z.strictObject({
          input: z.string(),
          parameters: z.record(z.string(), z.string()).optional(),
          answer: z.json(),
        }),
      ),
    })
    .nullish(),
});

const other = z.union([
  z.strictObject({ refused: z.string() }),
  z.strictObject({ needs: z.string().regex(/^\w+$/) }),
]);

export type Network = z.infer<typeof network>;
export type Made = z.infer<typeof made>;
export type Case = z.infer<typeof oneCase>;
export type ExpectedAnswer = z.infer<typeof answer>;
export type ReadFeature = z.infer<typeof feature>;

/** What the process that read the model says. It may have run code of the model's file, so nothing of it is taken on trust. */
export async function readReport<T>(
  path: string,
  schema: z.ZodType<T>,
): Promise<T | z.infer<typeof other>> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new Error("The process that read the model ended without a report.");
  if (found.size > REPORT_BYTES)
    throw new Error("The process that read the model says more than can be read.");
  const { data, error } = z.union([other, schema]).safeParse(parsed(await readFile(path, "utf8")));
  if (!data)
    throw new Error("The process that read the model says what cannot be understood.", {
      cause: error,
    });
  return data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
