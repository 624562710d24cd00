import type { Deadline } from "./load/deadline.ts";
import type { Turns } from "./load/turns.ts";
import type { ModelVersion } from "./model/registry.ts";
import type { Phases } from "./observe/phases.ts";
import { parseParameters, type Parts, type Run } from "./tasks/define.ts";
import type { Tensors } from "./tensor.ts";

/** The call whose answer is made. */
interface Answered {
  deadline: Deadline;
  recording: { phases: Phases };
}

/** Makes an answer in parts. Other requests get their turns between them. */
export async function finish<Answer>(
  parts: Parts<Answer>,
  turns: Turns | undefined,
  { deadline, recording: { phases } }: Answered,
): Promise<Answer> {
  for (;;) {
    const part = phases.time("postprocess", () => parts.next());
    if (part.done) return part.value;
    const elsewhere = part.value;
    if (elsewhere) await phases.time("postprocess", elsewhere);
    deadline.check();
    await turns?.transfer?.goOn();
  }
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
  const answers: unknown[][] = [];
  for (const [index, run] of runs.entries()) {
    const made = compiled.postprocess(results[index] as Tensors, run, parameters);
    answers.push(Array.isArray(made) ? made : await finish(made, turns, call));
  }
  return answers.flat(1);
}
