import type { InferCall, InferInputs, PredictCall } from "./call.ts";
import type { ModelVersion, Resolved } from "./model/registry.ts";
import type { Tensors } from "./tensor.ts";
import type { Seen } from "./tasks/define.ts";

/** Which request it was, and whose. */
export interface Asked {
  id: string;
  caller: string;
  /** What the client said that its requests belong to. */
  key: string | undefined;
}

/** What is done with predictions beside answering them, such as counting them for drift. */
export interface Follower {
  /** Whether it follows predictions of the version. Asked for each call. */
  wants: (version: ModelVersion) => boolean;
  /** Gets a prediction once its answer is made. Returns at once, and never throws. */
  follow: (version: Resolved, asked: Asked, seen: Seen) => void;
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
