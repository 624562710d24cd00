import type { CallOptions, CallRecord } from "../call.ts";
import { answersOfTensors } from "../finish.ts";
import type { Answered } from "../follow.ts";
import type { Deadline } from "../load/deadline.ts";
import type { Resolved } from "../model/registry.ts";
import { DEFAULT_POLICY } from "../model/release-policy.ts";
import type { CopyRecord } from "../observe/observer.ts";
import { createPhases } from "../observe/phases.ts";
import { createInfer, createPredict } from "../predict.ts";
import type { PathServices } from "../record-call.ts";
import { withoutStates, withoutTensors } from "../tasks/state/of-calls.ts";
import { agreeingTensors, disagreements } from "./agreement.ts";

type Compared = Pick<CopyRecord, "compared" | "disagreed" | "durations">;

interface Copy {
  answered: Answered;
  /** The version that gets the copy. */
  version: Resolved;
  deadline: Deadline;
}

/** Asks a version what stable has answered, and compares the answers. Rejects as the predict path does. */
export async function answerCopy(paths: PathServices, copy: Copy): Promise<Compared> {
  const { answered, version, deadline } = copy;
  const { call, asked } = answered;
  let record: CallRecord | undefined;
  const options: CallOptions = {
    model: call.model,
    resolved: version,
    id: asked.id,
    received: call.received,
    deadline,
    onRecord: (made) => void (record = made),
  };
  if (call.caller) options.caller = call.caller;
  const counts =
    answered.kind === "predict"
      ? await comparePrediction(paths, options, answered, copy)
      : await compareTensors(paths, options, answered, copy);
  return { ...counts, durations: record?.durations };
}

type Predicted = Answered & { kind: "predict" };
type Inferred = Answered & { kind: "infer" };

async function comparePrediction(
  paths: PathServices,
  options: CallOptions,
  { call, outputs, isBatch, version }: Predicted,
  { deadline }: Copy,
) {
  // The rest of the call is about its answer to the client.
  const { inputs, parameters, member = "inputs", longTexts, answerScale = 1 } = call;
  const how = { parameters, member, answerScale, ...(longTexts && { longTexts }) };
  const made = await createPredict(paths)({ ...options, ...how, inputs });
  const mine = isBatch ? (outputs as unknown[]) : [outputs];
  const theirs = isBatch ? made.outputs : [made.outputs];
  return compared(mine, theirs, version, pauses(paths, deadline));
}

/** Compares what the task makes of the tensors. Where the call asked for only some of them, the tensors themselves. */
async function compareTensors(
  paths: PathServices,
  options: CallOptions,
  { call, runs, results, version: stable }: Inferred,
  { version, deadline }: Copy,
) {
  const { turns } = paths;
  const made = await createInfer(paths)({ ...options, read: call.read });
  const finishing = { deadline, recording: { phases: createPhases(undefined) } };
  // Stable's own failure here is not the other version's.
  const mine = await answersOfTensors(stable, runs, results, turns, finishing).catch(
    () => undefined,
  );
  const theirs =
    mine && (await answersOfTensors(version, made.runs, made.results, turns, finishing));
  if (mine && theirs) return compared(mine, theirs, stable, pauses(paths, deadline));
  const outputs = results.map((tensors) => withoutTensors(stable, tensors));
  const agrees = agreeingTensors(outputs, made.results, toleranceOf(stable));
  return { compared: 1, disagreed: agrees ? 0 : 1 };
}

async function compared(
  mine: readonly unknown[],
  theirs: unknown,
  stable: Resolved,
  pause: () => Promise<void>,
) {
  const disagreed = await disagreements(
    withoutStates(stable, mine),
    Array.isArray(theirs) ? withoutStates(stable, theirs) : theirs,
    toleranceOf(stable),
    pause,
  );
  return { compared: mine.length, disagreed };
}

/** Lets others arrive, and gives the copy up when somebody has. */
function pauses({ turns }: PathServices, deadline: Deadline) {
  return async () => {
    await turns?.preparing.pause(0);
    deadline.check();
  };
}

function toleranceOf({ release }: Resolved) {
  return (release?.policy ?? DEFAULT_POLICY).tolerance;
}
