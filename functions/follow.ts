import type { InferCall, InferInputs, PredictCall } from "./call.ts";
import type { Manifest } from "./model/manifest.ts";
import type { ModelVersion, Resolved } from "./model/registry.ts";
import type { Tensors } from "./tensor.ts";
import type { Counters } from "./observe/counters.ts";
import { gather } from "./observe/gather.ts";
import { createSampler } from "./observe/sampler.ts";
import type { Seen } from "./tasks/define.ts";

/** Which request it was, and whose. */
export interface Asked {
  id: string;
  caller: string;
  /** When it began, in milliseconds since 1970. */
  at: number;
  /** What the client said that its requests belong to. */
  key: string | undefined;
}

/**
 * Gets a prediction once its answer is made. `weight` is for how many it stands: more than one where those of a busy
 * version are a sample. Returns at once, and never throws.
 */
export type Follow = (version: Resolved, asked: Asked, seen: Seen, weight: number) => void;

/** As {@link Follow}, with `bytes`: about how many bytes `seen` keeps in memory. */
export type FollowSized = (version: Resolved, asked: Asked, seen: Seen, bytes: number) => void;

/** What is done with predictions beside answering them, such as counting them for drift. */
export interface Follower {
  /** What is done with predictions of the version. Undefined for nothing. Asked once for each version in memory. */
  begin: (version: ModelVersion) => Follow | undefined;
}

/** Small predictions wait to be summed. Larger ones would keep too much in memory. */
const MOST_WAITING_BYTES = 8192;

/**
 * About so many predictions of a version in a second are summed by an instance: a sample, where there are more. A
 * distribution and a mean need no more, and to sum all of them would take up to a tenth of a busy server's time.
 */
const SUMMED_A_SECOND = 500;

/** A prediction that waits, and what sums it. */
interface Waiting {
  sum: Follow;
  version: Resolved;
  asked: Asked;
  seen: Seen;
  weight: number;
}

/**
 * What all followers do with predictions of a version. `summing` are those that only add to sums of the counters. They
 * get small predictions later, many at once, and before those sums are read or sent.
 */
export function createFollows(
  counters: Pick<Counters, "addSoon">,
  { summing, others }: { summing: readonly Follower[]; others: readonly Follower[] },
): (version: ModelVersion) => FollowSized | undefined {
  const known = new WeakMap<Manifest, { follow: FollowSized | undefined }>();
  const waiting = gather<Waiting>();
  waiting.each(({ sum, version, asked, seen, weight }) => sum(version, asked, seen, weight));

  function begin(version: ModelVersion): FollowSized | undefined {
    const sum = together(summing, version);
    const other = together(others, version);
    if (!sum) return other && ((version, asked, seen) => other(version, asked, seen, 1));
    const weightOf = createSampler(SUMMED_A_SECOND);
    return (version, asked, seen, bytes) => {
      other?.(version, asked, seen, 1);
      const weight = weightOf(asked.at);
      if (weight === 0) return;
      // Those of a sample come too seldom to wait for others: they would grow old in the heap.
      if (weight === 1 && bytes <= MOST_WAITING_BYTES) {
        waiting.add({ sum, version, asked, seen, weight });
        counters.addSoon(waiting.count);
      } else sum(version, asked, seen, weight);
    };
  }

  return (version) => {
    const { manifest } = version;
    let own = known.get(manifest);
    if (!own) known.set(manifest, (own = { follow: begin(version) }));
    return own.follow;
  };
}

/** One that does what all followers do with predictions of the version. */
function together(followers: readonly Follower[], version: ModelVersion): Follow | undefined {
  const follows = followers.flatMap(({ begin }) => begin(version) ?? []);
  if (follows.length < 2) return follows[0];
  return (...told) => {
    for (const follow of follows) follow(...told);
  };
}

/** A call that was answered, and its answer. */
export type Answered = {
  version: Resolved;
  asked: Asked;
  /** How many inputs it had. */
  rows: number;
  /** About how many bytes the call and its answer keep in memory. */
  bytes: number;
  /** Whether its tensors go on from a state, which only the version that made it takes. */
  goesOn: boolean;
} & (
  | { kind: "predict"; call: PredictCall; outputs: unknown; isBatch: boolean }
  | { kind: "infer"; call: InferCall; runs: InferInputs["runs"]; results: Tensors[] }
);

/** Gives copies of answered calls to versions on trial. */
export interface Shadows {
  /** Copies a call whose version says so. Returns at once, and never throws. */
  copy: (answered: Answered) => void;
}
