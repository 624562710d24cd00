import type { Caller } from "./auth/caller.ts";
import type { ErrorCode, NearcastError } from "./errors.ts";
import type { FeatureCounts } from "./features/status.ts";
import type { LookupTally } from "./features/tally.ts";
import type { Quota } from "./limits/quota.ts";
import type { Deadline } from "./load/deadline.ts";
import type { Assignment } from "./model/assignment.ts";
import type { ModelVersion, Resolved } from "./model/registry.ts";
import type { Release } from "./model/release.ts";
import type { Durations } from "./observe/phases.ts";
import type { InParts, LongTexts, Run } from "./tasks/define.ts";

/** Who asks which model, and how. */
export interface CallOptions {
  model: string;
  /** The version by name. The release decides when absent. */
  version?: string | undefined;
  /** The result of `service.resolve` for this call, if it was called before. */
  resolved?: Resolved;
  /** Names the call in records and logs. Made up when absent. */
  id?: string;
  /** Who asks. When absent: everyone, with every scope. */
  caller?: Caller;
  /** When the answer must be there. `REQUEST_TIMEOUT_MS` from now when absent. */
  deadline?: Deadline;
  /**
   * Calls with the same key get the same version while a candidate is on trial. When absent or empty: the caller, or the
   * id.
   */
  key?: string | undefined;
  /** The version by name, for callers with the scope `override`. `version` comes first. */
  override?: string | undefined;
  /** `no-cache` computes the answer again. `no-store` also does not keep it. */
  cache?: "no-cache" | "no-store" | undefined;
  /** How many bytes the body has, how many came (fewer where it was compressed), and how long it took to read them. */
  received?: { bytes: number; sentBytes: number; milliseconds: number | undefined } | undefined;
  /** What is left of the caller's rate. The call's cost is taken from it. */
  quota?: Quota | undefined;
  /** Only finds the version: the call is rejected with {@link AnswerLater}. */
  later?: boolean;
  /** The version of a call that was to be answered later, or that was forwarded: it was decided then. */
  decided?: Decided | undefined;
  /**
   * Has a version that is too large for this deployment answered by another one. Rejects with the reason why there is no
   * answer. Absent where there is no other deployment.
   */
  elsewhere?: ((version: Resolved) => Promise<AnsweredElsewhere>) | undefined;
  /** Told which version answers, once that is known. The version may still fail. */
  onAssigned?: (assignment: Assignment) => void;
  /** Resolves when the answer was sent, or its client is gone. Absent where nothing is sent, or nobody can know. */
  sent?: (() => Promise<void>) | undefined;
  /** Gets the record, once, before the call settles. */
  onRecord?: (record: CallRecord) => void;
}

/** Which version of a model answers a call, and why, where that was decided before. */
export interface Decided {
  model: string;
  assignment: Assignment;
}

/** Rejects a call that is answered later, once its version is known. */
export class AnswerLater extends Error {
  readonly version: Resolved;

  constructor(version: Resolved) {
    super("The call is answered later.");
    this.version = version;
  }
}

/** Rejects a call whose whole answer another deployment made. */
export class AnsweredElsewhere extends Error {
  /** The error that it answered. */
  readonly failure: NearcastError | undefined;

  /** Whether this deployment had kept the answer. */
  readonly cache: CacheOutcome | undefined;

  constructor(failure: NearcastError | undefined, cache: CacheOutcome | undefined) {
    super("Another deployment answered the call.");
    this.failure = failure;
    this.cache = cache;
  }
}

/** A call of a model through its task. */
export interface PredictCall extends CallOptions {
  /** One input, or an array of them, as the model's task has it. */
  inputs: unknown;
  /** Parameters of the model's task, such as `top_k`. */
  parameters?: unknown;
  /** The name of the inputs in error messages: the request's member that had them. `inputs` when absent. */
  member?: string;
  longTexts?: LongTexts;
  /** Whether the statuses of each of several inputs are wanted. They are long: usually they are only counted. */
  each?: boolean;
  /** Bytes of the dialect's answer for each byte of the task's own as JSON. 1 when absent. */
  answerScale?: number;
}

/** A call of a model's graph, with tensors. */
export interface InferCall extends CallOptions {
  /** Reads the request once the version is known. `sentBytes` is that of `received`. */
  read: (version: ModelVersion, sentBytes: number | undefined) => InParts<InferInputs>;
}

export interface InferInputs {
  /** Each is one run of the session. */
  runs: readonly Pick<Run, "feeds" | "rows" | "pixels" | "seconds">[];
  /** The outputs to compute. All of them when absent or empty. */
  outputNames?: readonly string[] | undefined;
  /** Whether the answer has this output in binary. Other outputs are JSON. */
  isBinary?: (output: string) => boolean;
}

/** `collapsed`: another call was already computing the same. `bypass`: the call did not allow kept answers, or its outputs are too large to keep. */
export type CacheOutcome = "hit" | "miss" | "collapsed" | "bypass";

/** What happened to one call. */
export interface CallRecord {
  readonly id: string;
  readonly kind: "predict" | "infer";
  /** When the call began, in milliseconds since 1970. */
  readonly at: number;
  /** The caller's name. */
  readonly caller: string;
  /** The model that was asked for. It may not exist. */
  readonly model: string;
  /** The version that answered, or would have. Absent when the call ended before it was known. */
  readonly version: string | undefined;
  /** SHA-256 of the version's artifact, in hexadecimal. */
  readonly digest: string | undefined;
  /** Why this version answered. */
  readonly reason: Assignment["reason"] | undefined;
  /** The release that chose the version. Present only while versions are on trial. */
  readonly release?: Release | undefined;
  /** The versions that are to get a copy of the call. Absent when none is. */
  readonly shadows?: readonly string[] | undefined;
  /** How many inputs, or rows of tensors. */
  readonly rows: number;
  /** How many tokens the inputs had. Absent where the model has no tokenizer of its own. */
  readonly tokens: number | undefined;
  /** How many pixels the images had. Absent where there were none. */
  readonly pixels: number | undefined;
  /** How many seconds the recordings lasted. Absent where there were none. */
  readonly seconds?: number | undefined;
  /** How many bytes the request's body had after decompression, or its tensors, if those had more. */
  readonly bytes: number | undefined;
  /** The cost in the units that rates count. 0 when the call was refused before the cost was known. */
  readonly cost: number;
  /** Whether the inputs were accepted and the runs started. */
  readonly executed: boolean;
  /** Milliseconds by phase. Absent where the platform's clock stands still. */
  readonly durations: Durations | undefined;
  readonly cache: CacheOutcome | undefined;
  /** Whether the region was asked, since this deployment is too small for the version. */
  readonly spilled?: boolean | undefined;
  /** How many looked-up features the inputs had, by status. Absent where the version looks up none. */
  readonly features?: FeatureCounts | undefined;
  /** What the look-up of features did. Absent where the version looks up none. */
  readonly lookup?: Readonly<LookupTally> | undefined;
  readonly quota: Quota | undefined;
  /** Why the call was refused or failed. */
  readonly error: { code: ErrorCode; message: string } | undefined;
  /** The inputs, shortened. Present only where the version's manifest turns their logging on. */
  readonly inputs: unknown;
}
