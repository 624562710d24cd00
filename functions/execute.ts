import { ANYONE } from "./auth/caller.ts";
import type { CallOptions } from "./call.ts";
import { NearcastError, type ErrorCode } from "./errors.ts";
import type { Resolved } from "./model/registry.ts";
import type { Recording } from "./observe/recording.ts";
import type { CachedRuns } from "./prediction-cache/cached-runs.ts";
import type { OngoingCall, PathServices } from "./record-call.ts";
import { runAll, type RunFeeds, type RunTask, type Take } from "./run-all.ts";
import type { Tensors } from "./tensor.ts";
import { bytesOfTensors, checkAnswerBytes, expectedOutputs } from "./wire/answer-size.ts";

/** Errors of a deployment that has too little memory. Another one could answer. */
const TOO_LARGE: ReadonlySet<ErrorCode> = new Set(["model_too_large", "out_of_memory"]);

/**
 * Gives the outputs of each run to `take` and collects its results. Has the whole call answered elsewhere, where that is
 * possible, when this deployment has too little memory for it.
 */
export function execute<R extends RunFeeds, Taken>(
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
export async function answerElsewhere(
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
