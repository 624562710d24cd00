import { NearcastError } from "./errors.ts";
import type { Deadline } from "./load/deadline.ts";
import type { Session } from "./runtime/types.ts";
import type { CompiledTask, Run } from "./tasks/define.ts";
import type { Tensors } from "./tensor.ts";

/**
 * Runs the session for each run in turn: ONNX Runtime does not compute two at a time. Rejects when the deadline
 * is over. A failed run rejects with the task's refusal, or with `model_corrupt`, since its input was checked;
 * with `out_of_memory` or `runtime_failed` when that was the reason.
 */
export async function runAll(
  session: Session,
  task: Pick<CompiledTask, "outputNames" | "refusal">,
  runs: readonly Pick<Run, "feeds">[],
  { deadline, owner }: { deadline: Deadline; owner: string },
): Promise<Tensors[]> {
  const results: Tensors[] = [];
  for (const { feeds } of runs) {
    deadline.check();
    try {
      results.push(await session.run(feeds, task.outputNames, owner, deadline.endsAt()));
    } catch (cause) {
      if (cause instanceof NearcastError) throw cause;
      if (task.refusal) throw task.refusal(cause);
      throw new NearcastError("model_corrupt", "The model failed on a valid input.", { cause });
    }
  }
  deadline.check();
  return results;
}
