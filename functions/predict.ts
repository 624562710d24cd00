import type { CallRecord, InferCall, InferInputs, PredictCall } from "./call.ts";
import { invalidInput, NearcastError } from "./errors.ts";
import { execute } from "./execute.ts";
import type { Completed } from "./features/complete.ts";
import type { FeatureStatuses, FeatureSummaries } from "./features/status.ts";
import { answersOfTensors, finish, write } from "./finish.ts";
import { giveBackTensors } from "./give-back.ts";
import { bytesOfRuns, rowsOfRuns, tokensOfRuns } from "./limits/cost.ts";
import { isInParts, prepare } from "./load/prepare.ts";
import { featuresOf, lookUpFor, seenOf } from "./look-up-for.ts";
import type { Manifest } from "./model/manifest.ts";
import type { Resolved } from "./model/registry.ts";
import { loggedInputs } from "./observe/logged-inputs.ts";
import type { Recording } from "./observe/recording.ts";
import { plainReason } from "./plain-reason.ts";
import { begin, recordCall, type OngoingCall, type PathServices } from "./record-call.ts";
import type { RunFeeds } from "./run-all.ts";
import { checkInputs, checkOutputNames, checkTexts } from "./tasks/check-tensors.ts";
import { parseParameters, type InputKind, type Run } from "./tasks/define.ts";
import { joinOutputs, splitRun } from "./tasks/split-run.ts";
import { areOfState } from "./tasks/state/of-calls.ts";
import type { Tensors } from "./tensor.ts";
import { bytesOfTensors, checkAnswerBytes, expectedOutputs } from "./wire/answer-size.ts";

export interface Prediction {
  manifest: Manifest;
  /** One answer for one input. An array of answers for an array of inputs. */
  outputs: unknown;
  /** How many tokens the inputs had. Undefined where the model has no tokenizer of its own. */
  tokens: number | undefined;
  /** Where looked-up features are from: of one input, of each, or of all together. Absent where the version looks up none. */
  features?: FeatureStatuses | FeatureStatuses[] | FeatureSummaries;
  /** About how many bytes of JSON the outputs have. 0 when unknown. */
  answerBytes: number;
  record: CallRecord;
}

export type Predict = (call: PredictCall) => Promise<Prediction>;

export interface Inference {
  manifest: Manifest;
  runs: InferInputs["runs"];
  /** The outputs of each run, in the requested order or the manifest's. */
  results: Tensors[];
  /** Whether nobody else reads inputs and outputs: who has written the answer may give their memory back. */
  areOwn: boolean;
  /** About how many bytes the outputs have in the dialect's answer. */
  answerBytes: number;
  record: CallRecord;
}

export type Infer = (call: InferCall) => Promise<Inference>;

/**
 * The predict path. Rejects with `forbidden`, `unknown_model`, `unknown_version`, `invalid_input`, `rate_limited`,
 * `overloaded`, `deadline_exceeded`, or with the error from loading or running the model.
 */
export function createPredict(services: PathServices): Predict {
  const { charge, turns } = services;
  return (call) =>
    recordCall(services, "predict", call, async (ongoing) => {
      const { deadline, recording } = ongoing;
      const begun = begin(services, ongoing);
      const version = begun instanceof Promise ? await begun : begun;
      const { manifest, task, compiled, limits } = version;
      recording.inputs = loggedInputs(manifest, call.inputs);
      const parameters = parseParameters(task.parameters, call.parameters);
      const batch = compiled.isBatch ? compiled.isBatch(call.inputs) : Array.isArray(call.inputs);
      const rows = batch ? (call.inputs as unknown[]) : [call.inputs];
      const { member = "inputs", longTexts, answerScale = 1 } = call;
      checkBatch(rows, limits.batch, member);
      if (rows[0] instanceof Uint8Array) refuseFile(task.input, member);
      recording.rows = rows.length;
      // The rows of tensors are in their shapes.
      const countsShapes = task.input === "tensors";
      const paid = countsShapes ? undefined : charge?.(recording, manifest.name);
      if (paid) await paid;
      const pathOf = batch ? (row: number) => `${member}[${row}]` : () => member;
      const options = { pathOf, parameters, longTexts, sentBytes: call.received?.sentBytes };
      const follow = services.followOf?.(version, recording.begun.at);
      const lookUp = lookUpFor(services, ongoing, version);
      let looked = lookUp && (await lookUp(rows, pathOf));
      recording.features = looked?.statuses.counts;
      const prepared = prepare(turns, recording.phases, deadline, () =>
        compiled.preprocess(looked?.rows ?? rows, options),
      );
      const runs = prepared instanceof Promise ? await prepared : prepared;
      const features = looked && featuresOf(looked, batch && (call.each ? "each" : "all"));
      // It may take more memory than the inputs, and the call may wait for its run.
      if (!follow) looked = undefined;
      if (countsShapes) measure(recording, manifest, runs);
      // A long text may be several rows, and each costs as much as an input.
      if (compiled.combine) recording.rows = Math.max(rows.length, totalOf(runs, "rows") ?? 0);
      recording.tokens = totalOf(runs, "tokens");
      recording.pixels = totalOf(runs, "pixels");
      recording.seconds = totalOf(runs, "seconds");
      const owed = charge?.(recording, manifest.name);
      if (owed) await owed;
      let answerBytes = 0;
      if (compiled.answerBytes)
        for (const run of runs) answerBytes += compiled.answerBytes(run, parameters) * answerScale;
      checkAnswerBytes(answerBytes, limits.answerBytes);
      recording.executed = true;
      let measured = 0;
      const counted = (answers: readonly unknown[]) => {
        if (!compiled.madeBytes) return answers;
        measured += compiled.madeBytes(answers);
        checkAnswerBytes(measured, limits.answerBytes);
        return answers;
      };
      /** Those of the run before: all is made of them. */
      let spent: Tensors[] = [];
      const spend = (...next: Tensors[]) => {
        // Followers look at tensors later, and kept outputs are for others too.
        if (!compiled.spendsTensors || follow || recording.cache) return;
        spent.forEach(giveBackTensors);
        spent = next;
      };
      let unwritten = 0;
      if (compiled.unwrittenBytes)
        for (const run of runs) unwritten = Math.max(unwritten, compiled.unwrittenBytes(run));
      if (unwritten > 0) ongoing.unwritten = services.unwritten?.of(unwritten, deadline);
      const answers: (readonly unknown[])[] = [];
      try {
        const made = await execute(
          services,
          ongoing,
          version,
          compiled,
          runs,
          ({ outputs, run, bytes, isLast }) => {
            spend(run.feeds, outputs);
            measured += bytes;
            const answers = recording.phases.time("postprocess", () =>
              compiled.postprocess(outputs, run, parameters),
            );
            // Outputs are alive until all is made of them. New runs must not go on meanwhile where that takes long.
            if (compiled.write) {
              const whole = finish(answers, turns, ongoing, { isRunning: true });
              if (isLast) return whole;
              return whole
                .then((one) => write(compiled, [one, run, parameters], turns, ongoing))
                .then(counted);
            }
            if (Array.isArray(answers)) return counted(answers);
            // Unfinished answers keep the outputs alive. Those of the last run are finished after its turn.
            return isLast
              ? answers
              : finish(answers, turns, ongoing, { isRunning: true }).then(counted);
          },
        );
        for (const one of made)
          answers.push(isInParts(one) ? counted(await finish(one, turns, ongoing)) : one);
        const [lastRun, lastMade] = [runs.at(-1), answers.at(-1)];
        if (compiled.write && lastRun && lastMade) {
          const written = await write(compiled, [lastMade, lastRun, parameters], turns, ongoing);
          answers.splice(-1, 1, counted(written));
        }
      } finally {
        ongoing.unwritten?.give();
      }
      answerBytes = Math.max(answerBytes, measured);
      const { tokens } = recording;
      const each = answers.length === 1 ? answers[0] : answers.flat(1);
      const outputs = compiled.combine
        ? recording.phases.time("postprocess", () =>
            compiled.combine?.(each ?? [], runs, parameters),
          )
        : each;
      if (follow) {
        const seen = seenOf(rows, looked, { runs, answers: outputs });
        follow(version, recording.begun, seen);
      }
      const given = batch ? outputs : outputs?.[0];
      if (version.shadows) {
        const made = { kind: "predict", call, outputs: given, isBatch: batch } as const;
        services.shadows?.copy({ ...made, ...answered(recording, version, runs, answerBytes) });
      }
      spend();
      return { manifest, outputs: given, tokens, ...(features && { features }), answerBytes };
    });
}

/**
 * The same path for tensors: resolve, check against the manifest, run. Rejects as the predict path does.
 * Tensors that ONNX Runtime cannot compute with (an index out of range) are `invalid_input`.
 */
export function createInfer(services: PathServices): Infer {
  const { charge, turns } = services;
  return (call) =>
    recordCall(services, "infer", call, async (ongoing) => {
      const { recording } = ongoing;
      const version = await begin(services, ongoing);
      const { manifest, compiled, limits } = version;
      const follow = services.followOf?.(version, recording.begun.at);
      const { inputs, looked } = await readInputs(services, ongoing, version, call);
      const { runs, isBinary } = inputs;
      const isTokens = compiled.maxTokens !== undefined;
      const outputNames = recording.phases.time("preprocess", () => {
        for (const { feeds } of runs) {
          checkInputs(version, feeds);
          compiled.missing?.check(feeds);
        }
        checkTexts(runs, call.received?.sentBytes);
        return checkOutputNames(manifest, inputs.outputNames);
      });
      measure(recording, manifest, runs);
      if (isTokens) recording.tokens = tokensOfRuns(runs);
      recording.pixels = totalOf(runs, "pixels");
      recording.seconds = totalOf(runs, "seconds");
      const paid = charge?.(recording, manifest.name);
      if (paid) await paid;
      let bytes = 0;
      for (const { feeds } of runs) {
        const expected = expectedOutputs(manifest, outputNames, { feeds, isTokens });
        bytes += bytesOfTensors(expected, isBinary);
      }
      checkAnswerBytes(bytes, limits.answerBytes);
      recording.executed = true;
      const task = {
        outputNames,
        refusal: refusedTensors,
        outputBytes: (outputs: Tensors) => bytesOfTensors(outputs, isBinary),
      };
      const parts = isTokens ? runs.map((run) => splitRun(version, run)) : undefined;
      const all = parts ? parts.flat() : runs;
      let answerBytes = 0;
      const made = await execute(
        services,
        ongoing,
        version,
        task,
        all,
        ({ outputs, bytes: own }) => {
          answerBytes += own;
          return outputs;
        },
      );
      let next = 0;
      const results = parts
        ? parts.map(({ length }) => joinOutputs(made.slice(next, (next += length))))
        : made;
      if (follow) {
        const answers = await answersOfTensors(version, runs, results, turns, ongoing);
        const seen = seenOf(undefined, looked, { runs, answers });
        follow(version, recording.begun, seen);
      }
      if (version.shadows) {
        const made = { kind: "infer", call, runs, results } as const;
        services.shadows?.copy({ ...made, ...answered(recording, version, runs, answerBytes) });
      }
      const areOwn = !follow && !version.shadows && !recording.cache;
      return { manifest, runs, results, answerBytes, areOwn };
    });
}

/**
 * Reads a call of the graph. Where its dialect makes tensors of rows, they are looked up first: charged before, and in a
 * phase of its own, since the version is not the cause of what the source takes.
 */
async function readInputs(
  services: PathServices,
  ongoing: OngoingCall,
  version: Resolved,
  { read, received }: InferCall,
): Promise<{ inputs: InferInputs; looked?: Completed }> {
  const { turns, charge } = services;
  const { deadline, recording } = ongoing;
  const { compiled, manifest } = version;
  const readAs = (own: Resolved) =>
    prepare(turns, recording.phases, deadline, () => read(own, received?.sentBytes));
  const lookUp = lookUpFor(services, ongoing, version);
  if (!lookUp) return { inputs: await readAs(version) };
  let asked: Parameters<typeof compiled.preprocess> | undefined;
  const inputs = await readAs({
    ...version,
    compiled: {
      ...compiled,
      preprocess(...rows) {
        asked = rows;
        return [];
      },
    },
  });
  if (!asked) return { inputs };
  const [rows, options] = asked;
  recording.rows = rows.length;
  const paid = charge?.(recording, manifest.name);
  if (paid) await paid;
  const looked = await lookUp(rows, options.pathOf);
  recording.features = looked.statuses.counts;
  const runs = await prepare(turns, recording.phases, deadline, () =>
    compiled.preprocess(looked.rows, options),
  );
  return { inputs: { ...inputs, runs }, looked };
}

const LONGEST_REASON = 300;

function refusedTensors(cause: unknown): NearcastError {
  const reason = plainReason(cause instanceof Error ? cause.message : String(cause));
  return new NearcastError(
    "invalid_input",
    `The model cannot compute with these tensors: ${reason.slice(0, LONGEST_REASON)}`,
    { cause },
  );
}

/**
 * Throws `invalid_input` for a file where the inputs must be JSON. Read as an object, each of its bytes would be an
 * unknown member.
 */
export function refuseFile(kind: InputKind, member: string): void {
  if (kind !== "image" && kind !== "audio" && kind !== "json")
    throw invalidInput([
      { path: member, message: `is a file, and the model takes ${kind}: send application/json` },
    ]);
}

/** Throws `invalid_input` for no input, or for more inputs than the limit. */
export function checkBatch(rows: readonly unknown[], limit: number, member = "inputs"): void {
  if (rows.length === 0) throw invalidInput([{ path: member, message: "must not be empty" }]);
  if (rows.length > limit)
    throw invalidInput([
      { path: member, message: `must have at most ${limit} inputs, has ${rows.length}` },
    ]);
}

/** What is known of a call that was answered. */
function answered(
  recording: Recording,
  version: Resolved,
  runs: readonly RunFeeds[],
  answerBytes: number,
) {
  const { begun, rows, bytes = 0 } = recording;
  return {
    version,
    asked: begun,
    rows,
    // Those of a call that was not sent are not known.
    bytes: bytes + bytesOfRuns(runs) + answerBytes,
    goesOn: areOfState(version, runs),
  };
}

/** Records how many rows and bytes the tensors have. Their shapes have the rows. */
function measure(recording: Recording, manifest: Manifest, runs: readonly RunFeeds[]): void {
  recording.rows = rowsOfRuns(manifest, runs);
  recording.bytes = Math.max(recording.bytes ?? 0, bytesOfRuns(runs));
}

function totalOf<Count extends "rows" | "tokens" | "pixels" | "seconds">(
  runs: readonly Pick<Run, Count>[],
  count: Count,
): number | undefined {
  let total: number | undefined;
  for (const { [count]: own } of runs) if (own !== undefined) total = (total ?? 0) + own;
  return total;
}
