import { answerElsewhere } from "./execute.ts";
import type { Completed } from "./features/complete.ts";
import { startTally } from "./features/tally.ts";
import type { Resolved } from "./model/registry.ts";
import type { OngoingCall, PathServices } from "./record-call.ts";
import type { PathOf, Seen } from "./tasks/define.ts";

/**
 * Looks up the features of a call's inputs. Has the whole call answered elsewhere where
 * the version does not fit here: the other deployment looks up, and this one may have no source. Undefined where nothing
 * is looked up.
 */
export function lookUpFor(
  { lookUp, fits }: PathServices,
  { call, deadline, recording }: OngoingCall,
  version: Resolved,
): ((rows: readonly unknown[], pathOf: PathOf) => Completed | Promise<Completed>) | undefined {
  if (!lookUp || !version.manifest.lookup) return undefined;
  const { phases } = recording;
  const { elsewhere } = call;
  if (elsewhere && fits?.(version.manifest) === false)
    return () => answerElsewhere(elsewhere, recording, version);
  const tally = startTally(version.manifest.lookup.source);
  recording.lookup = tally;
  return (rows, pathOf) => lookUp(version, rows, pathOf, { deadline, phases, tally });
}

/** Where looked-up features are from: of the only input, of each, or of all together. */
export function featuresOf({ rows, statuses }: Completed, of: "each" | "all" | false) {
  if (of === "each") return rows.map((_, row) => statuses.of(row));
  return of === "all" ? statuses.summary() : statuses.of(0);
}

/** What followers see. What was looked up is in it, made when one of them asks for it. */
export function seenOf(
  rows: readonly unknown[] | undefined,
  looked: Completed | undefined,
  made: Pick<Seen, "runs" | "answers">,
): Seen {
  if (!looked) return { inputs: rows, ...made };
  return {
    ...made,
    get inputs() {
      return looked.named();
    },
    featuresOf: (row) => looked.statuses.of(row),
  };
}
