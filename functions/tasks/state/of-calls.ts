import type { Manifest } from "../../model/manifest.ts";
import type { Run, Task } from "../define.ts";
import { wrongState } from "./carried.ts";

interface Version {
  manifest: Manifest;
  task: Pick<Task, "carriesState" | "input">;
}

/** Whether the parameters go on from the state of an answer before. */
export function sendsState(
  { carriesState }: Pick<Task, "carriesState">,
  parameters: unknown,
): boolean {
  if (!carriesState || typeof parameters !== "object" || parameters === null) return false;
  return "state" in parameters && parameters.state !== undefined;
}

/** Whether tensors go on from a state: one that begins is of zeros. */
export function areOfState(version: Version, runs: readonly Pick<Run, "feeds">[]): boolean {
  const names = Object.keys(pairsOf(version));
  return runs.some(({ feeds }) =>
    names.some((name) =>
      Array.prototype.some.call(feeds[name]?.data ?? [], (value) => Number(value) !== 0),
    ),
  );
}

/** Throws `invalid_input` for a state in the parameters of a batch: each row would go on from it. */
export function refuseStateOfRows(task: Pick<Task, "carriesState">, parameters: unknown): void {
  if (sendsState(task, parameters))
    throw wrongState(
      "goes on with one input, and a batch has the same parameters for each row: send the pieces of a stream as predictions, one after another",
    );
}

/** The answers without their states, which only their version reads: a text, and the tensors of a graph. */
export function withoutStates(version: Version, answers: readonly unknown[]): readonly unknown[] {
  const { carriesState, input } = version.task;
  if (!carriesState) return answers;
  return answers.map((answer) => {
    const { state, ...rest } = answer as Record<string, unknown>;
    const others = typeof state === "string" ? rest : (answer as Record<string, unknown>);
    return input === "tensors" ? withoutTensors(version, others) : others;
  });
}

/** Outputs by name, without those that are inputs of the next step. */
export function withoutTensors<T>(
  version: Version,
  outputs: Readonly<Record<string, T>>,
): Record<string, T> {
  const states = new Set(Object.values(pairsOf(version)));
  return Object.fromEntries(Object.entries(outputs).filter(([name]) => !states.has(name)));
}

/** The manifest's `state`: inputs, and the outputs that they are in the next step. */
function pairsOf({ task, manifest }: Version): Readonly<Record<string, string>> {
  const { state = {} } = manifest as { state?: Record<string, string> };
  return task.carriesState ? state : {};
}
