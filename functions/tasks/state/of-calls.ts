import type { Task } from "../define.ts";
import { wrongState } from "./carried.ts";

type Carries = Pick<Task, "carriesState">;

/** Whether the call goes on from the state of an answer before. */
export function sendsState({ carriesState }: Carries, parameters: unknown): boolean {
  if (!carriesState || typeof parameters !== "object" || parameters === null) return false;
  return "state" in parameters && parameters.state !== undefined;
}

/** Throws `invalid_input` for a state in the parameters of a batch: each row would go on from it. */
export function refuseStateOfRows(task: Carries, parameters: unknown): void {
  if (sendsState(task, parameters))
    throw wrongState(
      "goes on with one input, and a batch has the same parameters for each row: send the pieces of a stream as predictions, one after another",
    );
}

/** The answers without their states, which are texts of one version alone. */
export function withoutStates(
  { carriesState }: Carries,
  answers: readonly unknown[],
): readonly unknown[] {
  if (!carriesState) return answers;
  return answers.map((answer) => {
    const { state, ...rest } = answer as Record<string, unknown>;
    return typeof state === "string" ? rest : answer;
  });
}
