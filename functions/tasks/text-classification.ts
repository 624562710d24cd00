import type { Limits } from "../config.ts";
import { invalidInput, type InputIssue } from "../errors.ts";
import type { Manifest } from "../model/manifest.ts";
import { classificationAnswers } from "./classification.ts";

/** A string in, a label out. The text goes into the graph as it is: BYTES `[rows]`. */
export function textClassification(manifest: Manifest, limits: Limits) {
  const input = manifest.inputs[0];
  if (
    !input ||
    manifest.inputs.length > 1 ||
    input.datatype !== "BYTES" ||
    input.shape.length !== 1
  )
    throw new Error(`task ${manifest.task} needs one BYTES input of shape [-1]`);

  return {
    ...classificationAnswers(manifest),
    isBatch: Array.isArray,
    preprocess(rows: readonly unknown[], pathOf: (row: number) => string) {
      const issues: InputIssue[] = [];
      rows.forEach((text, row) => {
        if (typeof text !== "string")
          issues.push({ path: pathOf(row), message: "must be a string" });
        // ONNX Runtime's JavaScript strings end at the first NUL: the rest would be ignored in silence.
        else if (text.includes("\0"))
          issues.push({ path: pathOf(row), message: "must not contain a NUL character" });
        else if (text.length > limits.textLength)
          issues.push({
            path: pathOf(row),
            message: `must have at most ${limits.textLength} characters, has ${text.length}`,
          });
      });
      if (issues.length > 0) throw invalidInput(issues);
      // A lone surrogate has no UTF-8 form; native and WASM would each replace it in their own way.
      const data = rows.map((text) => (text as string).toWellFormed());
      return { [input.name]: { datatype: "BYTES" as const, shape: [rows.length], data } };
    },
  };
}
