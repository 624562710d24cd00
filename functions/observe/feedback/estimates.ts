import type { Follower } from "../../follow.ts";
import type { Counters } from "../counters.ts";
import { createTally, type Tally } from "../tally.ts";
import { DAY_MS, feedbackGroup } from "./feedback.ts";

/**
 * Follows predictions to sum their calibrated scores: the mean is the accuracy to expect (confidence-based performance
 * estimation). `onFailure` gets what a task threw.
 */
export function createEstimates(
  counters: Pick<Counters, "addSoon">,
  onFailure: (error: unknown) => void,
): Follower {
  return {
    begin({ manifest, compiled }) {
      const score = compiled.quantities?.find(({ name }) => name === "prediction.score");
      if (!manifest.feedback?.calibrated || !score) return undefined;
      let day = -1;
      let sums: Tally;
      let weight = 1;
      const take = (value: number | string = 0): void => {
        const own = Number(value);
        if (!Number.isFinite(own)) return;
        sums.add(0, weight);
        sums.add(1, weight * own);
      };
      return (_version, { at }, seen, own) => {
        weight = own;
        try {
          if (Math.floor(at / DAY_MS) !== day) {
            day = Math.floor(at / DAY_MS);
            sums = createTally(counters, feedbackGroup(manifest, at), ["scored", "score"]);
          }
          score.each(seen, take);
          sums.changed();
        } catch (error) {
          onFailure(error);
        }
      };
    },
  };
}
