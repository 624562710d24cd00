import type { Deadline } from "./load/deadline.ts";
import { inTurn, inTurns, isInParts } from "./load/prepare.ts";
import type { Turns } from "./load/turns.ts";
import type { ModelVersion } from "./model/registry.ts";
import type { Phases } from "./observe/phases.ts";
import { parseParameters, type CompiledTask, type Parts, type Run } from "./tasks/define.ts";
import type { Tensors } from "./tensor.ts";

/** The call whose answer is made. */
interface Answered {
  deadline: Deadline;
  recording: { phases: Phases };
}

/**
 * What a task makes of a run: at once, or in parts. Other requests get their turns between them, but for those that wait
 * for the turn to run that this one has.
 */
export async function finish(
  parts: readonly unknown[] | Parts<unknown[]>,
  turns: Turns | undefined,
  { deadline, recording: { phases } }: Answered,
  { isRunning = false } = {},
): Promise<readonly unknown[]> {
  if (!isInParts(parts)) return parts;
  const timed = { phases, phase: "postprocess", deadline } as const;
  for (let done = 1; ; done++) {
    const part = phases.time("postprocess", () => parts.next());
    if (part.done) return part.value;
    const elsewhere = part.value;
    if (elsewhere) await inTurn(turns?.elsewhere, timed, elsewhere);
    deadline.check();
    const others = isRunning ? turns?.transfer?.breathe() : turns?.transfer?.pause(done);
    if (others) await phases.time("queue", () => others);
  }
}

/** Writes the answers of what a task made of a run's outputs, in turns that those share whose inputs are prepared. */
export async function write(
  { write: begin }: Pick<CompiledTask, "write">,
  [made, run, parameters]: readonly [readonly unknown[], Run, unknown],
  turns: Turns | undefined,
  { deadline, recording: { phases } }: Answered,
): Promise<readonly unknown[]> {
  if (!begin) return made;
  // The run is done: nobody is refused any more.
  const turn = turns?.preparing.enterAgain();
  if (turn) await phases.time("queue", () => turn);
  return inTurns(turns, { phases, phase: "postprocess", deadline }, begin(made, run, parameters));
}

/**
 * The answers that the task makes of tensors, one for each row of the runs. Undefined where the call asked for only some
 * of the outputs that the task needs, or where the task answers from its inputs, which a client's own tensors lack.
 */
export async function answersOfTensors(
  { task, compiled }: Pick<ModelVersion, "task" | "compiled">,
  runs: readonly Pick<Run, "feeds" | "rows" | "context">[],
  results: readonly Tensors[],
  turns: Turns | undefined,
  call: Answered,
): Promise<unknown[] | undefined> {
  const isWhole = results.every((outputs) => compiled.outputNames.every((name) => outputs[name]));
  // A client's own tensors have no texts or pictures to answer about.
  const lacksContext = compiled.readsContext && runs.some(({ context }) => context === undefined);
  if (!isWhole || compiled.combine || lacksContext) return undefined;
  const parameters = parseParameters(task.parameters, undefined);
  const answers: (readonly unknown[])[] = [];
  for (const [index, run] of runs.entries()) {
    const parts = compiled.postprocess(results[index] as Tensors, run, parameters);
    const made = await finish(parts, turns, call);
    answers.push(await write(compiled, [made, run, parameters], turns, call));
  }
  return answers.flat(1);
}
