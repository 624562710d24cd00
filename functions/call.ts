import type { Caller } from "./auth/caller.ts";
import type { ErrorCode } from "./errors.ts";
import type { Quota } from "./limits/quota.ts";
import type { Deadline } from "./load/deadline.ts";
import type { Assignment } from "./model/assignment.ts";
import type { ModelVersion, Resolved } from "./model/registry.ts";
import type { Durations } from "./observe/phases.ts";
import type { InParts, LongTexts, Run } from "./tasks/define.ts";

/** Which model is asked, by whom, and on which terms. */
export interface CallOptions {
  model: string;
  /** The version by name; the release decides when it is absent. */
  version?: string | undefined;
  /** What `service.resolve` answered for this call, where it was called before. */
  resolved?: Resolved;
  /** Names the call in records and logs. Made up when absent. */
  id?: string;
  /** Who asks; everyone, with every scope, when absent. */
  caller?: Caller;
  /** When the answer must be there. `REQUEST_TIMEOUT_MS` from now when absent. */
  deadline?: Deadline;
  /** Calls with the same key get the same version of a model on trial. The caller, or the id, when absent. */
  key?: string | undefined;
  /** `no-cache` computes the answer again. `no-store` also does not keep it. */
  cache?: "no-cache" | "no-store" | undefined;
  /** How many bytes the body has, how many came (fewer where it was compressed), and how long it took to read them. */
  received?: { bytes: number; sentBytes: number; milliseconds: number | undefined } | undefined;
  /** What is left of the caller's rate. The cost of the call is taken from it. */
  quota?: Quota | undefined;
  /** Gets the record, once, before the call settles. */
  onRecord?: (record: CallRecord) => void;
}

/** What is asked of a model through its task. */
export interface PredictCall extends CallOptions {
  /** One input, or an array of them, as the model's task has it. */
  inputs: unknown;
  /** What the model's task reads, such as `top_k`. */
  parameters?: unknown;
  /** What error messages call the inputs: the member of the request that had them. `inputs` when absent. */
  member?: string;
  longTexts?: LongTexts;
  /** Bytes of the dialect's answer for each byte of the task's own as JSON. 1 when absent. */
  answerScale?: number;
}

/** What is asked of a model's graph. */
export interface InferCall extends CallOptions {
  /** Reads the request once the version is known. `sentBytes` is that of `received`. */
  read: (version: ModelVersion, sentBytes: number | undefined) => InParts<InferInputs>;
}

export interface InferInputs {
  /** One run of the session each. */
  runs: readonly Pick<Run, "feeds" | "rows">[];
  /** The outputs to compute. All of them when absent or empty. */
  outputNames?: readonly string[] | undefined;
  /** Which outputs the answer has in binary; the others are JSON. */
  isBinary?: (output: string) => boolean;
}

/** `collapsed`: another call was computing the same. `bypass`: the call forbade looking. */
export type CacheOutcome = "hit" | "miss" | "collapsed" | "bypass";

/** What happened to one call. */
export interface CallRecord {
  readonly id: string;
  readonly kind: "predict" | "infer";
  /** When it began: milliseconds since 1970. */
  readonly at: number;
  /** The caller's name. */
  readonly caller: string;
  /** The model that was asked for. It may not exist. */
  readonly model: string;
  /** The version that answered, or would have. Absent where the call ended before that was known. */
  readonly version: string | undefined;
  /** SHA-256 of the version's artifact, in hexadecimal. */
  readonly digest: string | undefined;
  /** Why that version. */
  readonly reason: Assignment["reason"] | undefined;
  /** How many inputs, or rows of tensors. */
  readonly rows: number;
  /** How many tokens the inputs had. Absent where the model has no tokenizer of its own. */
  readonly tokens: number | undefined;
  /** How many pixels the images had. Absent where there were none. */
  readonly pixels: number | undefined;
  /** How many bytes the request's body had, decompressed, or its tensors, if they had more. */
  readonly bytes: number | undefined;
  /** What it cost, in the units that rates count. 0 where it was refused before that was known. */
  readonly cost: number;
  /** Whether the inputs were accepted and the runs started. */
  readonly executed: boolean;
  /** Milliseconds by phase. Absent where the platform's clock stands still. */
  readonly durations: Durations | undefined;
  readonly cache: CacheOutcome | undefined;
  readonly quota: Quota | undefined;
  /** Why it was refused, or failed. */
  readonly error: { code: ErrorCode; message: string } | undefined;
  /** The inputs, shortened. Present only where the version's manifest turns their logging on. */
  readonly inputs: unknown;
}
