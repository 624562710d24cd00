import { LRUCache } from "lru-cache";
import { requireScope } from "../../auth/access.ts";
import type { Caller } from "../../auth/caller.ts";
import { invalidInput, NearcastError } from "../../errors.ts";
import type { Follower } from "../../follow.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { Registry } from "../../model/registry.ts";
import type { Platform } from "../../platform/types.ts";
import type { Quantity } from "../../tasks/define.ts";
import type { Group } from "../counters.ts";
import type { Judged } from "../capture/capture.ts";
import type { Note } from "./notes.ts";
import { addOutcome, outcomeOf, problemWith, type Outcome } from "./outcomes.ts";

/** What really happened. */
export interface Given {
  /** The id of the prediction's request: `X-Request-Id`. */
  request_id: string;
  /** A label or a number. For a request of several inputs, an array of them. */
  outcome: unknown;
  /** Whose prediction it is, for callers with the scope `admin`. The caller's own when absent. */
  caller?: string | undefined;
}

/** Follows predictions to keep what was predicted, for as long as the manifest says. */
export interface Feedback extends Follower {
  /**
   * Counts what really happened. The same once more is counted once. Rejects with `not_found` where the caller has no such
   * prediction, with `conflict` where another outcome was given before, and with `invalid_input`.
   */
  give(caller: Caller, given: Given, registry: Registry): Promise<"counted" | "known">;
  /** Removes kept predictions by the digests of their requests. Gives how many there were. Needs the scope `admin`. */
  forget(caller: Caller, keys: readonly string[]): Promise<number>;
  /** The models that this instance predicted with, or got outcomes for, lately. */
  models(): string[];
}

/** Requests with more inputs are not kept. */
const MOST_ROWS = 100;
/** The most models whose accuracy is shown as metrics. */
const KNOWN_MODELS = 100;
export const DAY_MS = 86_400_000;
export const MOST_DAYS = 30;
const REPORT_MS = 60_000;

/** The sums of one day of a version. */
export function feedbackGroup({ name, version }: Manifest, time: number): Group {
  const day = new Date(time).toISOString().slice(0, 10);
  const keptSeconds = ((MOST_DAYS + 1) * DAY_MS) / 1000;
  return { model: name, name: `feedback/${version}/${day}`, keptSeconds };
}

/**
 * Joins predictions with what really happened. A prediction belongs to the caller who asked for it. `onJudged` gets what
 * was counted.
 */
export function createFeedback(
  platform: Pick<Platform, "notes" | "counters" | "waitUntil" | "log">,
  onJudged: (judged: Judged) => void,
): Feedback {
  const { notes, counters, waitUntil, log } = platform;
  const models = new LRUCache<string, true>({ max: KNOWN_MODELS });
  let reportAt = 0;

  function report(error: unknown): void {
    const now = Date.now();
    if (now < reportAt) return;
    reportAt = now + REPORT_MS;
    log({ level: "error", message: "feedback: a prediction was not kept", error: String(error) });
  }

  return {
    models: () => [...models.keys()],
    begin({ manifest, compiled }) {
      const { name: model, version, feedback } = manifest;
      const quantity = outcomeOf(compiled.quantities);
      if (!feedback || !quantity) return undefined;
      let day = -1;
      return (_version, asked, { answers }) => {
        if (!answers) return;
        try {
          if (Math.floor(asked.at / DAY_MS) !== day) {
            day = Math.floor(asked.at / DAY_MS);
            models.set(model, true);
          }
          const predicted = valuesOf(quantity, answers);
          if (predicted.length > MOST_ROWS) return;
          const kept = notes.put(asked, { model, version, predicted }, feedback.keptSeconds);
          if (kept) waitUntil(kept.catch(report));
        } catch (error) {
          report(error);
        }
      };
    },

    async give(caller, { request_id: id, outcome, caller: owner = caller.name }, registry) {
      if (owner !== caller.name) requireScope(caller, "admin");
      const request = { caller: owner, id };
      const note = await notes.get(request).catch(outOfReach);
      if (!note)
        throw new NearcastError(
          "not_found",
          `You have no prediction ${JSON.stringify(id)} to judge.`,
        );
      const { manifest, compiled } = await registry.resolve(note.model, { version: note.version });
      const quantity = outcomeOf(compiled.quantities);
      if (!manifest.feedback || !quantity)
        throw new NearcastError("not_found", `${note.model} takes no feedback.`);
      const actual = readOutcomes(outcome, note, (one) => problemWith(quantity, manifest, one));
      const { keptSeconds } = manifest.feedback;
      const isFirst =
        !note.actual &&
        (await notes.replace(request, note, { ...note, actual }, keptSeconds).catch(outOfReach));
      if (!isFirst) {
        // Of several at once, another one may have been first.
        const known = await notes.get(request).catch(outOfReach);
        if (JSON.stringify(known?.actual) === JSON.stringify(actual)) return "known";
        throw conflict(id);
      }
      const fields = new Map<string, number>();
      for (const [row, one] of actual.entries())
        addOutcome(fields, manifest.labels, note.predicted[row] ?? null, one);
      counters.add(feedbackGroup(manifest, Date.now()), fields);
      onJudged({ id, caller: owner, manifest, outcome: actual });
      models.set(note.model, true);
      return "counted";
    },

    async forget(caller, keys) {
      requireScope(caller, "admin");
      return notes.forget(keys).catch(outOfReach);
    },
  };
}

function valuesOf(quantity: Quantity, answers: readonly unknown[]): (Outcome | null)[] {
  // An array that grows is larger than it needs to be, and many of these are kept.
  const values: (Outcome | null)[] = answers.map(() => null);
  let count = 0;
  quantity.each({ inputs: undefined, runs: [], answers }, (value) => {
    values[count++] = value ?? null;
  });
  values.length = count;
  return values;
}

function readOutcomes(
  outcome: unknown,
  { predicted }: Note,
  problem: (one: unknown) => string | undefined,
): Outcome[] {
  const outcomes: unknown[] = Array.isArray(outcome) ? outcome : [outcome];
  if (outcomes.length !== predicted.length)
    throw invalidInput([
      {
        path: "outcome",
        message: `must be ${predicted.length}, one for each input, is ${outcomes.length}`,
      },
    ]);
  const issues = outcomes.flatMap((one, row) => {
    const message = problem(one);
    const path = Array.isArray(outcome) ? `outcome[${row}]` : "outcome";
    return message === undefined ? [] : [{ path, message }];
  });
  if (issues.length > 0) throw invalidInput(issues);
  return outcomes as Outcome[];
}

function conflict(id: string): NearcastError {
  return new NearcastError(
    "conflict",
    `Another outcome was given for ${JSON.stringify(id)} before.`,
  );
}

function outOfReach(cause: unknown): never {
  const message = "The place with kept predictions is out of reach.";
  throw new NearcastError("store_unavailable", message, { cause, retryAfterSeconds: 1 });
}
