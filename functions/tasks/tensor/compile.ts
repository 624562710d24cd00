import type { Limits } from "../../model/limits.ts";
import { InputIssues, invalidInput, NearcastError } from "../../errors.ts";
import type { Manifest } from "../../model/manifest.ts";
import { plainReason } from "../../plain-reason.ts";
import { type Tensor, type Tensors } from "../../tensor.ts";
import { bytesOfTensors, expectedOutputs } from "../../wire/answer-size.ts";
import { toJsonValues } from "../../wire/json-tensor.ts";
import { hasManyParts, nestedInParts, toNested } from "../../wire/nested.ts";
import { mismatch, tooManyElements } from "../check-tensors.ts";
import type { CompiledTask, Parts } from "../define.ts";
import { tensorQuantities } from "./quantities.ts";
import { readTensor } from "./read.ts";

/**
 * Runs any graph. One input is an object of tensors by name: nested arrays or `{datatype, shape, data}`. The answer is
 * an object of nested arrays. INT64 and UINT64 are numbers, or decimal strings where a number would not be exact. For
 * an array of inputs, the graph runs once for each.
 */
export function compile(manifest: Manifest, limits: Limits): CompiledTask {
  const { inputs, outputs } = manifest;
  const names = new Set(inputs.map(({ name }) => name));
  const outputNames = outputs.map(({ name }) => name);

  function readFeeds(row: unknown, path: string, issues: InputIssues): Tensors {
    if (typeof row !== "object" || row === null || Array.isArray(row)) {
      const message = `must be an object of tensors: ${[...names].join(", ")}`;
      issues.push({ path, message });
      return {};
    }
    const given = new Map<string, unknown>(Object.entries(row));
    for (const name of given.keys())
      if (!names.has(name))
        issues.push({ path: `${path}.${name}`, message: "is not an input of this model" });
    const feeds: [string, Tensor][] = [];
    for (const input of inputs) {
      const where = `${path}.${input.name}`;
      try {
        const tensor = readTensor(given.get(input.name), input, where);
        const message = mismatch({ manifest, limits }, input, tensor);
        if (message) issues.push({ path: where, message });
        feeds.push([input.name, tensor]);
      } catch (error) {
        if (!(error instanceof NearcastError)) throw error;
        for (const issue of error.issues ?? []) issues.push(issue);
      }
    }
    return Object.fromEntries(feeds);
  }

  return {
    preprocess(rows, { pathOf }) {
      const issues = new InputIssues();
      const runs = rows.map((row, index) => ({
        feeds: readFeeds(row, pathOf(index), issues),
        rows: 1,
      }));
      const message = tooManyElements(
        limits,
        runs.map(({ feeds }) => feeds),
      );
      if (message) issues.push({ path: "inputs", message });
      issues.check();
      return runs;
    },
    outputNames,
    quantities: tensorQuantities(manifest),
    answerBytes: ({ feeds }) =>
      bytesOfTensors(expectedOutputs(manifest, outputNames, { feeds, isTokens: false })),
    outputBytes: (results) => bytesOfTensors(results),
    postprocess: (results) =>
      Object.values(results).some(hasManyParts)
        ? answerInParts(results)
        : [
            Object.fromEntries(
              Object.entries(results).map(([name, result]) => [
                name,
                toNested(result, toJsonValues),
              ]),
            ),
          ],
    // Only the graph can tell whether free dimensions fit each other, or an index is out of range.
    refusal: (cause) =>
      invalidInput([
        {
          path: "inputs",
          message: `were refused by the model: ${plainReason(cause instanceof Error ? cause.message : String(cause))}`,
        },
      ]),
  };
}

function* answerInParts(results: Tensors): Parts<unknown[]> {
  const answer: [string, unknown][] = [];
  for (const [name, result] of Object.entries(results))
    answer.push([name, yield* nestedInParts(result, toJsonValues)]);
  return [Object.fromEntries(answer)];
}
