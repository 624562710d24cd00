import type { Spans } from "./observe/phases.ts";
import { ANYONE, assignmentKey } from "./auth/caller.ts";
import { requireScope, type RegistryFor } from "./auth/access.ts";
import {
  AnsweredElsewhere,
  AnswerLater,
  type CallOptions,
  type CallRecord,
  type InferCall,
  type InferInputs,
  type PredictCall,
} from "./call.ts";
import { invalidInput, NearcastError, type ErrorCode } from "./errors.ts";
import type { Completed } from "./features/complete.ts";
import type { LookUp } from "./features/look-up.ts";
import type { FeatureStatuses, FeatureSummaries } from "./features/status.ts";
import { startTally } from "./features/tally.ts";
import type { FollowOf, Shadows } from "./follow.ts";
import { answersOfTensors, finish, write } from "./finish.ts";
import { giveBackTensors } from "./give-back.ts";
import { bytesOfRuns, rowsOfRuns, tokensOfRuns } from "./limits/cost.ts";
import type { Charge } from "./limits/charge.ts";
import { createDeadline, type Deadline } from "./load/deadline.ts";
import type { Ongoing } from "./load/ongoing.ts";
import { isInParts, prepare } from "./load/prepare.ts";
import type { Share, Space } from "./load/space.ts";
import type { Turns } from "./load/turns.ts";
import type { Anticipate } from "./model/anticipation.ts";
import type { Assignment } from "./model/assignment.ts";
import type { Manifest } from "./model/manifest.ts";
import type { Resolved } from "./model/registry.ts";
import type { Sessions } from "./model/sessions.ts";
import { loggedInputs } from "./observe/logged-inputs.ts";
import { Recording } from "./observe/recording.ts";
import { plainReason } from "./plain-reason.ts";
import type { CachedRuns } from "./prediction-cache/cached-runs.ts";
import { runAll, type RunFeeds, type RunTask, type Take } from "./run-all.ts";
import { checkInputs, checkOutputNames, checkTexts } from "./tasks/check-tensors.ts";
import {
  parseParameters,
  type InputKind,
  type PathOf,
  type Run,
  type Seen,
} from "./tasks/define.ts";
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
  /** About how many bytes the outputs have in the dialect's answer. */
  answerBytes: number;
  record: CallRecord;
}

export type Infer = (call: InferCall) => Promise<Inference>;

/**
 * The version that answers a call: a promise where the store must be asked. Throws `forbidden`. Rejects with
 * `unknown_model`, `unknown_version`, or with the error from reading the package.
 */
export type Resolve = (
  call: CallOptions,
  onAssigned?: (assignment: Assignment) => void,
) => Resolved | Promise<Resolved>;

/** The services that both paths use: for reading models, running them and recording calls. */
export interface PathServices {
  resolve: Resolve;
  sessions: Pick<Sessions, "acquire">;
  /** Whether the version's session may be loaded here at all. Absent where every one is tried. */
  fits?: (manifest: Manifest) => boolean;
  /** The longest time for a call without its own deadline. */
  timeoutMs: number;
  now: (() => number) | undefined;
  /** Makes phases spans of the platform's own tracing, where no clock measures them. */
  spans?: Spans | undefined;
  /** Gets the record of every call, when that has ended or its time is over. */
  tell: ((record: CallRecord) => void) | undefined;
  /** Absent where no clock can measure turns. */
  turns: Turns | undefined;
  /** For what is made of outputs and waits to be written. Absent for the copies: there are few, and they must not wait. */
  unwritten?: Space;
  /** Takes the cost of a call from the rates. Absent where nothing is limited. */
  charge?: Charge;
  /** Looks up features that inputs lack. Absent where inputs must have them all. */
  lookUp?: LookUp;
  /** Runs with kept outputs. Absent where none are kept. */
  cachedRuns?: CachedRuns;
  /** What is done with predictions of a version: drift, feedback, capture. Absent for the copies. */
  followOf?: FollowOf;
  /** Copies calls for versions on trial. Absent for the copies. */
  shadows?: Shadows;
  /** Counts the calls that are being answered. Absent for the copies. */
  ongoing?: Ongoing;
}

/** One call while it is being answered. Its recording becomes its record. */
interface OngoingCall {
  call: CallOptions;
  deadline: Deadline;
  recording: Recording;
  /** Taken when the model is loaded, so that nobody waits for room behind a load. Absent where little is unwritten. */
  unwritten?: Share | undefined;
}

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
      return { manifest, runs, results, answerBytes };
    });
}

/**
 * Looks up the features of a call's inputs. Has the whole call answered elsewhere where
 * the version does not fit here: the other deployment looks up, and this one may have no source. Undefined where nothing
 * is looked up.
 */
function lookUpFor(
  { lookUp, fits }: PathServices,
  { call, deadline, recording }: OngoingCall,
  version: Resolved,
): ((rows: readonly unknown[], pathOf: PathOf) => Completed | Promise<Completed>) | undefined {
  if (!lookUp || !version.manifest.lookup) return undefined;
  const { phases } = recording;
  const { elsewhere } = call;
  if (elsewhere && fits?.(version.manifest) === false)
    return () => answerElsewhere(elsewhere, recording, version);
  const tally = startTally(version.manifest.lookup.source);
  recording.lookup = tally;
  return (rows, pathOf) => lookUp(version, rows, pathOf, { deadline, phases, tally });
}

/** Where looked-up features are from: of the only input, of each, or of all together. */
function featuresOf({ rows, statuses }: Completed, of: "each" | "all" | false) {
  if (of === "each") return rows.map((_, row) => statuses.of(row));
  return of === "all" ? statuses.summary() : statuses.of(0);
}

/** What followers see. What was looked up is in it, made when one of them asks for it. */
function seenOf(
  rows: readonly unknown[] | undefined,
  looked: Completed | undefined,
  made: Pick<Seen, "runs" | "answers">,
): Seen {
  if (!looked) return { inputs: rows, ...made };
  return {
    ...made,
    get inputs() {
      return looked.named();
    },
    featuresOf: (row) => looked.statuses.of(row),
  };
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

export function createResolve(registryFor: RegistryFor, anticipate?: Anticipate): Resolve {
  return function resolve(call, onAssigned = call.onAssigned) {
    const { model, version, override, caller = ANYONE, id, key, decided } = call;
    const registry = registryFor(caller, "predict");
    if (decided?.model === model) {
      const { version: own, ...why } = decided.assignment;
      onAssigned?.(decided.assignment);
      const found = Promise.resolve(registry.resolve(model, { version: own }));
      return found.then((version) => ({ ...version, ...why }));
    }
    if (override !== undefined) requireScope(caller, "override");
    const found = registry.resolve(model, {
      version,
      override,
      key: assignmentKey(caller, key, id),
      ...(onAssigned && { onAssigned }),
    });
    // After the store was asked: loading computes while the store answers.
    anticipate?.(model);
    return found;
  };
}

/** Makes the record of a call, however it ends. */
export async function recordCall<Answer>(
  services: PathServices,
  kind: CallRecord["kind"],
  call: CallOptions,
  answerCall: (ongoing: OngoingCall) => Promise<Answer>,
): Promise<Answer & { record: CallRecord }> {
  if (call.later) throw new AnswerLater(call.resolved ?? (await services.resolve(call)));
  const { id = crypto.randomUUID(), caller = ANYONE, key, model } = call;
  const deadline = call.deadline ?? createDeadline(services.timeoutMs, () => false);
  const begun = { id, kind, at: Date.now(), caller: caller.name, key, model };
  const recording = new Recording(begun, call, services);
  // The work may go on after the deadline. The record shows what the caller was told. The watcher is an object, not a
  // function: V8 moves a function that each call makes to its old objects, and they keep whole requests alive.
  // Predictions would take 30 % more time.
  deadline.watcher = recording;
  try {
    const work = answerCall({
      call: call.id === undefined ? { ...call, id } : call,
      deadline,
      recording,
    });
    // A caller with its own deadline applies it itself.
    const answer = await (call.deadline ? work : deadline.within(work));
    return { ...answer, record: recording.end() };
  } catch (error) {
    const isAnswered = error instanceof AnsweredElsewhere;
    if (isAnswered) recording.cache = error.cache;
    recording.end(isAnswered ? error.failure : error);
    throw error;
  }
}

/** Resolves the version, and applies its limits to the call. */
export function begin(
  { resolve }: PathServices,
  ongoing: OngoingCall,
): Resolved | Promise<Resolved> {
  const { call, recording } = ongoing;
  const found =
    call.resolved ??
    recording.phases.time("resolve", () =>
      resolve(call, (assignment) => {
        recording.assignment = assignment;
        call.onAssigned?.(assignment);
      }),
    );
  return found instanceof Promise
    ? found.then((version) => limited(version, ongoing))
    : limited(found, ongoing);
}

function limited(found: Resolved, { call, deadline, recording }: OngoingCall): Resolved {
  const { received } = call;
  recording.version = found;
  const { bodyBytes } = found.limits;
  if (received && received.bytes > bodyBytes)
    throw new NearcastError(
      "body_too_large",
      `The body may have at most ${bodyBytes} bytes for ${call.model}.`,
    );
  const { timeoutMs } = found.manifest.limits ?? {};
  if (timeoutMs !== undefined) deadline.shorten(timeoutMs);
  return found;
}

/** Errors of a deployment that has too little memory. Another one could answer. */
const TOO_LARGE: ReadonlySet<ErrorCode> = new Set(["model_too_large", "out_of_memory"]);

/**
 * Gives the outputs of each run to `take` and collects its results. Has the whole call answered elsewhere, where that is
 * possible, when this deployment has too little memory for it.
 */
function execute<R extends RunFeeds, Taken>(
  ...parts: Parameters<typeof compute<R, Taken>>
): Promise<Taken[]> {
  const [, { call }] = parts;
  return call.elsewhere ? executeSomewhere(call.elsewhere, parts) : executeHere(...parts);
}

async function executeSomewhere<R extends RunFeeds, Taken>(
  elsewhere: NonNullable<CallOptions["elsewhere"]>,
  parts: Parameters<typeof compute<R, Taken>>,
): Promise<Taken[]> {
  const [{ fits }, { recording }, version] = parts;
  if (fits?.(version.manifest) ?? true)
    try {
      return await executeHere(...parts);
    } catch (error) {
      if (!(error instanceof NearcastError) || !TOO_LARGE.has(error.code)) throw error;
    }
  return answerElsewhere(elsewhere, recording, version);
}

/** Ends the call with what the other deployment answers. */
async function answerElsewhere(
  elsewhere: NonNullable<CallOptions["elsewhere"]>,
  recording: Recording,
  version: Resolved,
): Promise<never> {
  recording.executed = true;
  recording.spilled = true;
  throw await recording.phases.time("region", () => elsewhere(version));
}

/** Executes in this deployment. Uses kept outputs where the model's answers are kept. */
function executeHere<R extends RunFeeds, Taken>(
  ...parts: Parameters<typeof compute<R, Taken>>
): Promise<Taken[]> {
  const [{ cachedRuns }, { recording }, version, { outputNames }, runs] = parts;
  const ttlSeconds = cachedRuns?.ttlSeconds(version.manifest) ?? 0;
  if (!cachedRuns || ttlSeconds === 0) return compute(...parts);
  if (runs.length > 1 && mayBeTooLargeToKeep(version, outputNames, runs)) {
    recording.cache = "bypass";
    return compute(...parts);
  }
  return executeWithKept(cachedRuns, ttlSeconds, parts);
}

async function executeWithKept<R extends RunFeeds, Taken>(
  cachedRuns: CachedRuns,
  ttlSeconds: number,
  parts: Parameters<typeof compute<R, Taken>>,
): Promise<Taken[]> {
  const [services, ongoing, version, task, runs, take] = parts;
  const { manifest, limits } = version;
  const { outputNames } = task;
  const kept = await cachedRuns.outputs({
    manifest,
    outputNames,
    isInSteps: task.steps !== undefined,
    runs,
    ttlSeconds,
    directive: ongoing.call.cache,
    recording: ongoing.recording,
    compute: (missing) =>
      compute(services, ongoing, version, task, missing, ({ outputs }) => outputs),
  });
  const { unwritten, recording } = ongoing;
  if (unwritten) await recording.phases.time("queue", unwritten.take);
  const bytes = kept.map((outputs) => task.outputBytes?.(outputs) ?? 0);
  checkAnswerBytes(
    bytes.reduce((sum, own) => sum + own, 0),
    limits.answerBytes,
  );
  const results: Taken[] = [];
  for (const [index, run] of runs.entries()) {
    const ran = { outputs: kept[index] as Tensors, run, bytes: bytes[index] ?? 0 };
    results.push(await take({ ...ran, isLast: index === runs.length - 1 }));
  }
  return results;
}

/** As many bytes as the outputs of one run may have. */
const MOST_KEPT_TOGETHER = 64 * 1024 * 1024;

/**
 * Whether the outputs of all runs may be too much to hold until the last one has run. So it is where their sizes are not
 * known before.
 */
function mayBeTooLargeToKeep(
  { manifest, compiled }: Resolved,
  outputNames: readonly string[],
  runs: readonly RunFeeds[],
): boolean {
  const isTokens = compiled.maxTokens !== undefined;
  const isFree = manifest.outputs.some(
    ({ name, shape }) => outputNames.includes(name) && shape.includes(-1, 1),
  );
  if (isFree && !isTokens) return true;
  let bytes = 0;
  for (const { feeds } of runs) {
    const expected = expectedOutputs(manifest, outputNames, { feeds, isTokens });
    bytes += bytesOfTensors(expected, () => true);
  }
  return bytes > MOST_KEPT_TOGETHER;
}

/** Loads the model when it is not in memory, and runs it. */
async function compute<R extends Pick<RunFeeds, "feeds">, Taken>(
  { sessions, turns }: PathServices,
  { call, deadline, unwritten, recording: { phases } }: OngoingCall,
  { manifest, limits: { answerBytes } }: Resolved,
  task: RunTask,
  runs: readonly R[],
  take: Take<R, Taken>,
): Promise<Taken[]> {
  deadline.check();
  // Versions with the same artifact share its session, but not their runs.
  const owner = `${(call.caller ?? ANYONE).name} ${manifest.name}/${manifest.version}`;
  const leased = phases.time("load", () => sessions.acquire(manifest));
  const lease = leased instanceof Promise ? await leased : leased;
  try {
    if (unwritten) await phases.time("queue", unwritten.take);
    const turn = turns?.running.enter(deadline);
    if (turn) await phases.time("queue", () => turn);
    let results: Taken[];
    let answers: Promise<void> | undefined;
    try {
      const options = { deadline, phases, owner, pause: turns?.running.pause, answerBytes, take };
      results = await runAll(lease.session, task, runs, options);
    } finally {
      answers = turns?.running.leave();
    }
    if (answers) await answers;
    return results;
  } finally {
    lease.end();
  }
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
