import type { Limits } from "../../model/limits.ts";
import { InputIssues, invalidInput, NearcastError } from "../../errors.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { plainReason } from "../../plain-reason.ts";
import { type Tensor, type Tensors } from "../../tensor.ts";
import { bytesOfTensors, expectedOutputs } from "../../wire/answer-size.ts";
import { toJsonValues } from "../../wire/json-tensor.ts";
import { hasManyParts, nestedInParts, toNested } from "../../wire/nested.ts";
import { mismatch, tooManyElements } from "../check-tensors.ts";
import type { CompiledTask, Parts } from "../define.ts";
import { readState, writeState, wrongState } from "../state/carried.ts";
import { carriedTensors } from "../state/carried-tensors.ts";
import type { tensorOptions, TensorParameters } from "./options.ts";
import { tensorQuantities } from "./quantities.ts";
import { readTensor } from "./read.ts";

/**
 * Runs any graph. One input is an object of tensors by name: nested arrays or `{datatype, shape, data}`. The answer is
 * an object of nested arrays. INT64 and UINT64 are numbers, or decimal strings where a number would not be exact. For
 * an array of inputs, the graph runs once for each. Tensors of the manifest's `state` may be missing: they come from the
 * caller's state, or are zeros.
 */
export function compile(
  manifest: ManifestOf<typeof tensorOptions>,
  limits: Limits,
): CompiledTask<TensorParameters> {
  const { inputs, outputs } = manifest;
  const names = new Set(inputs.map(({ name }) => name));
  const outputNames = outputs.map(({ name }) => name);
  const { pairs, carried, begin } = carriedTensors(manifest, manifest.state ?? {});
  const nextStates = new Set(pairs.map(([, output]) => output));
  if (pairs.length > 0 && outputNames.some((name) => name === "state" && !nextStates.has(name)))
    throw new Error("an output is called state, as the answer's own member: give it another name");

  /** The tensors of the state: the caller's, or zeros. */
  function stateOf({ state, return_state }: TensorParameters, rows: number): Tensors {
    if (pairs.length === 0 && (return_state || state !== undefined))
      throw wrongState("must be absent: the model's manifest names none", {
        member: state === undefined ? "return_state" : "state",
      });
    if (state === undefined) return begin();
    if (rows > 1) throw wrongState("goes on with one input: send one");
    const read = readState(manifest, state, carried);
    return Object.fromEntries(pairs.map(([input], at) => [input, read[at] as Tensor]));
  }

  function readFeeds(
    row: unknown,
    path: string,
    { states, isSent }: { states: Tensors; isSent: boolean },
    issues: InputIssues,
  ): Tensors {
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
        const own = states[input.name];
        if (own && isSent && given.has(input.name))
          issues.push({ path: where, message: "is in parameters.state already" });
        const tensor =
          own && !given.has(input.name) ? own : readTensor(given.get(input.name), input, where);
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
    preprocess(rows, { pathOf, parameters }) {
      const issues = new InputIssues();
      const states = stateOf(parameters, rows.length);
      const isSent = parameters.state !== undefined;
      const runs = rows.map((row, index) => ({
        feeds: readFeeds(row, pathOf(index), { states, isSent }, issues),
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
    postprocess(results, _, { return_state }) {
      if (!return_state) return answerOf(results);
      const others = Object.entries(results).filter(([name]) => !nextStates.has(name));
      const next = pairs.map(([, output]) => results[output] as Tensor);
      return answerOf(Object.fromEntries(others), { state: writeState(manifest, next) });
    },
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

function answerOf(results: Tensors, beside: object = {}): unknown[] | Parts<unknown[]> {
  if (Object.values(results).some(hasManyParts)) return answerInParts(results, beside);
  const members = Object.entries(results).map(([name, result]) => [
    name,
    toNested(result, toJsonValues),
  ]);
  return [{ ...Object.fromEntries(members), ...beside }];
}

function* answerInParts(results: Tensors, beside: object): Parts<unknown[]> {
  const answer: [string, unknown][] = [];
  for (const [name, result] of Object.entries(results))
    answer.push([name, yield* nestedInParts(result, toJsonValues)]);
  return [{ ...Object.fromEntries(answer), ...beside }];
}
