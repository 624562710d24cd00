import type { InferCall, InferInputs, PredictCall } from "./call.ts";
import type { Manifest } from "./model/manifest.ts";
import type { ModelVersion, Resolved } from "./model/registry.ts";
import type { Tensors } from "./tensor.ts";
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

/** Gets a prediction once its answer is made. Returns at once, and never throws. */
export type Follow = (version: Resolved, asked: Asked, seen: Seen) => void;

/** What is done with predictions beside answering them, such as counting them for drift. */
export interface Follower {
  /** What is done with predictions of the version. Undefined for nothing. Asked once for each version in memory. */
  begin: (version: ModelVersion) => Follow | undefined;
}

/** What all followers do with predictions of a version. */
export function createFollows(
  followers: readonly Follower[],
): (version: ModelVersion) => readonly Follow[] {
  const known = new WeakMap<Manifest, Follow[]>();
  return (version) => {
    const { manifest } = version;
    let follows = known.get(manifest);
    if (!follows)
      known.set(manifest, (follows = followers.flatMap(({ begin }) => begin(version) ?? [])));
    return follows;
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
} & (
  | { kind: "predict"; call: PredictCall; outputs: unknown; isBatch: boolean }
  | { kind: "infer"; call: InferCall; runs: InferInputs["runs"]; results: Tensors[] }
);

/** Gives copies of answered calls to versions on trial. */
export interface Shadows {
  /** Copies a call whose version says so. Returns at once, and never throws. */
  copy: (answered: Answered) => void;
}
