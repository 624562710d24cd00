import type { InferCall, InferInputs, PredictCall } from "./call.ts";
import type { Manifest } from "./model/manifest.ts";
import type { ModelVersion, Resolved } from "./model/registry.ts";
import type { Tensors } from "./tensor.ts";
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

/** What is done with predictions beside answering them, such as counting them for drift. */
export interface Follower {
  /** What is done with predictions of the version. Undefined for nothing. Asked once for each version in memory. */
  begin: (version: ModelVersion) => Follow | undefined;
}

/**
 * About so many predictions of a version in a second are summed by an instance: a sample, where there are more. A
 * distribution and a mean need no more, and to sum all of them would take up to a tenth of a busy server's time.
 */
const SUMMED_A_SECOND = 100;

/** Gets a prediction that somebody wants. */
type Wanted = (version: Resolved, asked: Asked, seen: Seen) => void;

/**
 * Gives what is done with a prediction of the version that begins at this time, in milliseconds since 1970. Undefined where
 * nobody wants it: then nothing need be kept of it.
 */
export type FollowOf = (version: ModelVersion, at: number) => Wanted | undefined;

/** What all followers do. `summing` are those that only add to sums: of a busy version they get a sample. */
export function createFollows({
  summing,
  others,
}: {
  summing: readonly Follower[];
  others: readonly Follower[];
}): FollowOf {
  const known = new WeakMap<Manifest, (at: number) => Wanted | undefined>();

  function begin(version: ModelVersion): (at: number) => Wanted | undefined {
    const sum = together(summing, version);
    const other = together(others, version);
    const keep: Wanted | undefined = other && ((own, asked, seen) => other(own, asked, seen, 1));
    if (!sum) return () => keep;
    const weightOf = createSampler(SUMMED_A_SECOND);
    return (at) => {
      const weight = weightOf(at);
      if (weight === 0) return keep;
      return (own, asked, seen) => {
        keep?.(own, asked, seen);
        sum(own, asked, seen, weight);
      };
    };
  }

  return (version, at) => {
    const { manifest } = version;
    let choose = known.get(manifest);
    if (!choose) known.set(manifest, (choose = begin(version)));
    return choose(at);
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
