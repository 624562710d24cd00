import type { Admission } from "./admission.ts";
import type { Deadline } from "./deadline.ts";
import type { Turns } from "./turns.ts";
import type { Phases } from "../observe/phases.ts";
import type { InParts, Parts } from "../tasks/define.ts";

/**
 * Prepares the inputs of a call. Decoding an image or tokenizing a text can block the process for longer than a run.
 * Such work is done in parts, and other requests get their turns between them. Returns at once what is made at once, and
 * throws what the work throws at once. Otherwise rejects with the work's own error, with `overloaded`, or, before a part, with
 * the deadline's error.
 */
export function prepare<T>(
  turns: Pick<Turns, "preparing" | "elsewhere"> | undefined,
  phases: Phases,
  deadline: Deadline,
  work: () => InParts<T>,
): T | Promise<T> {
  const begun = phases.time("preprocess", work);
  return begun instanceof Promise || isInParts(begun)
    ? prepareLong(turns, phases, deadline, begun)
    : begun;
}

async function prepareLong<T>(
  turns: Pick<Turns, "preparing" | "elsewhere"> | undefined,
  phases: Phases,
  deadline: Deadline,
  begun: Parts<T> | Promise<T | Parts<T>>,
): Promise<T> {
  const made = await begun;
  if (!isInParts(made)) return made;
  const turn = turns?.preparing.enter(deadline);
  if (turn) await phases.time("queue", () => turn);
  return inTurns(turns, { phases, phase: "preprocess", deadline }, made);
}

/** What part of a call a work belongs to, and until when it may take. */
interface Timed {
  phases: Phases;
  phase: "preprocess" | "postprocess";
  deadline: Deadline;
}

/** Does work in parts, and ends the turn of `preparing` that its caller has entered. Rejects as {@link prepare} does. */
export async function inTurns<T>(
  turns: Pick<Turns, "preparing" | "elsewhere"> | undefined,
  timed: Timed,
  parts: Parts<T>,
): Promise<T> {
  const { phases, phase, deadline } = timed;
  try {
    for (let done = 1; ; done++) {
      deadline.check();
      const part = phases.time(phase, () => parts.next());
      if (part.done) return part.value;
      const elsewhere = part.value;
      if (elsewhere) {
        // The place here is for others meanwhile.
        void turns?.preparing.leave();
        try {
          await inTurn(turns?.elsewhere, timed, elsewhere);
        } finally {
          await turns?.preparing.enterAgain();
        }
      } else {
        const others = turns?.preparing.pause(done);
        if (others) await phases.time("queue", () => others);
      }
    }
  } finally {
    // Nothing is answered yet, so there is no need to wait for the other runs of this turn.
    void turns?.preparing.leave();
  }
}

/**
 * Work in another thread has turns of its own. Rejects with `overloaded`, or with the deadline's error when its turn
 * comes.
 */
export async function inTurn(
  turns: Admission | undefined,
  { phases, phase, deadline }: Timed,
  work: () => Promise<void>,
): Promise<void> {
  const turn = turns?.enter(deadline);
  if (turn) await phases.time("queue", () => turn);
  try {
    deadline.check();
    await phases.time(phase, work);
  } finally {
    void turns?.leave();
  }
}

export function isInParts<T>(made: T | Parts<T>): made is Parts<T> {
  return typeof made === "object" && made !== null && "next" in made;
}
