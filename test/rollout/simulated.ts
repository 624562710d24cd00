import { hasMore } from "../../functions/rollout/sequential-test.ts";
import { createRandom } from "../adversarial/random.ts";

export interface Simulated {
  share: number;
  stableErrors: number;
  ownErrors: number;
  requests: number;
}

/** A rollout with requests and errors at random: after how many requests the candidate would be taken back, looking after each error. Undefined if never. */
export function caughtAfter(seed: number, { share, stableErrors, ownErrors, requests }: Simulated) {
  const random = createRandom(seed, 0).next;
  const split = { own: 0, others: 0, share };
  for (let count = 1; count <= requests; count++) {
    const isOwn = random() < share;
    if (random() >= (isOwn ? ownErrors : stableErrors)) continue;
    split[isOwn ? "own" : "others"] += 1;
    if (hasMore([split], 0.01)) return count;
  }
  return undefined;
}
