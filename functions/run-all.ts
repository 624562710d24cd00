import { NearcastError } from "./errors.ts";
import type { Deadline } from "./load/deadline.ts";
import type { Phases } from "./observe/phases.ts";
import type { Session } from "./runtime/types.ts";
import type { CompiledTask, Run } from "./tasks/define.ts";
import type { Tensors } from "./tensor.ts";
import { checkAnswerBytes } from "./wire/answer-size.ts";

export type RunTask = Pick<CompiledTask, "outputNames" | "refusal" | "outputBytes" | "steps">;
export type RunFeeds = Pick<Run, "feeds">;

/** The outputs of a run, and how many bytes they take in the answer by the task's count. */
export interface Ran<R> {
  outputs: Tensors;
  run: R;
  bytes: number;
  /** Whether no run comes after it. */
  isLast: boolean;
}

/** Turns a run's outputs into what is kept of them. Until it has, no other run begins. */
export type Take<R, Taken> = (ran: Ran<R>) => Taken | Promise<Taken>;

export interface RunOptions<R extends RunFeeds, Taken> {
  deadline: Deadline;
  phases: Phases;
  owner: string;
  /** Lets others go first between two runs when these have lasted long. */
  pause?: ((done: number) => Promise<void> | undefined) | undefined;
  /** The most bytes that all outputs may have in the answer, by the task's count. */
  answerBytes: number;
  /** The outputs of many runs could take gigabytes: what it keeps must be small. */
  take: Take<R, Taken>;
}

/**
 * Runs the session for each run in turn: ONNX Runtime does not compute two at a time. Rejects when the deadline is
 * over, and with `answer_too_large`. A failed run rejects with `out_of_memory` or `runtime_failed` when that is the
 * reason. Otherwise it rejects with the task's refusal, or with `model_corrupt`, since the input was checked.
 */
export async function runAll<R extends RunFeeds, Taken>(
  session: Session,
  task: RunTask,
  runs: readonly R[],
  options: RunOptions<R, Taken>,
): Promise<Taken[]> {
  const { deadline, phases, pause, answerBytes, take } = options;
  const results: Taken[] = [];
  let bytes = 0;
  for (const [index, run] of runs.entries()) {
    const others = index > 0 ? pause?.(index) : undefined;
    if (others) await phases.time("queue", () => others);
    deadline.check();
    let outputs: Tensors;
    try {
      outputs = await (task.steps
        ? runSteps(session, task, task.steps(run.feeds), options)
        : runOnce(session, task, run.feeds, options));
    } catch (cause) {
      if (cause instanceof NearcastError) throw cause;
      if (task.refusal) throw task.refusal(cause);
      throw new NearcastError("model_corrupt", "The model failed on a valid input.", { cause });
    }
    const own = task.outputBytes?.(outputs) ?? 0;
    checkAnswerBytes((bytes += own), answerBytes);
    const taken = take({ outputs, run, bytes: own, isLast: index === runs.length - 1 });
    results.push(taken instanceof Promise ? await taken : taken);
  }
  deadline.check();
  return results;
}

type OneRun = Pick<RunOptions<never, never>, "deadline" | "phases" | "owner" | "pause">;

function runOnce(
  session: Session,
  { outputNames }: RunTask,
  feeds: Tensors,
  { deadline, phases, owner }: OneRun,
): Promise<Tensors> {
  return phases.time("run", () => session.run(feeds, outputNames, owner, deadline.endsAt()));
}

/** Others go first, and the deadline is looked at, between two steps as between two runs. */
async function runSteps(
  session: Session,
  task: RunTask,
  steps: ReturnType<NonNullable<RunTask["steps"]>>,
  options: OneRun,
): Promise<Tensors> {
  const { deadline, phases, pause } = options;
  for (let step = steps.next(), done = 1; ; done++) {
    if (step.done) return step.value;
    step = steps.next(await runOnce(session, task, step.value, options));
    const others = pause?.(done);
    if (others) await phases.time("queue", () => others);
    deadline.check();
  }
}
