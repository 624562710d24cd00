import type { CacheOutcome, CallOptions, CallRecord } from "../call.ts";
import { NearcastError } from "../errors.ts";
import type { FeatureCounts } from "../features/status.ts";
import type { LookupTally } from "../features/tally.ts";
import type { Asked } from "../follow.ts";
import type { Assignment } from "../model/assignment.ts";
import type { Quota } from "../limits/quota.ts";
import type { Resolved } from "../model/registry.ts";
import type { Ongoing } from "../load/ongoing.ts";
import { createPhases, type Spans, type Phases } from "./phases.ts";

interface Begun extends Asked {
  kind: CallRecord["kind"];
  model: string;
}

/**
 * Collects the facts for the record of one call. The record is made once, when the call ends or its deadline passes.
 * Later events are not in it.
 */
export class Recording {
  readonly phases: Phases;
  version: Resolved | undefined;
  /** Known before the version is read. */
  assignment: Assignment | undefined;
  rows = 0;
  tokens: number | undefined;
  pixels: number | undefined;
  seconds: number | undefined;
  bytes: number | undefined;
  cost = 0;
  executed = false;
  cache: CacheOutcome | undefined;
  spilled = false;
  features: FeatureCounts | undefined;
  lookup: LookupTally | undefined;
  quota: Quota | undefined;
  inputs: unknown;
  readonly begun: Begun;
  readonly #tell: ((record: CallRecord) => void) | undefined;
  readonly #onRecord: CallOptions["onRecord"];
  readonly #ongoing: Ongoing | undefined;
  #record: CallRecord | undefined;

  constructor(
    begun: Begun,
    { received, quota, onRecord }: CallOptions,
    {
      now,
      spans,
      tell,
      ongoing,
    }: {
      now: (() => number) | undefined;
      spans?: Spans | undefined;
      tell: ((record: CallRecord) => void) | undefined;
      ongoing?: Ongoing | undefined;
    },
  ) {
    this.begun = begun;
    this.#tell = tell;
    this.#ongoing = ongoing;
    ongoing?.begin();
    this.#onRecord = onRecord;
    this.quota = quota;
    this.bytes = received?.bytes;
    this.phases = createPhases(now, received?.milliseconds, spans);
  }

  /** Makes the record and tells all observers. Later calls only return it. */
  end(error?: unknown): CallRecord {
    if (this.#record) return this.#record;
    const { id, kind, at, caller, model } = this.begun;
    const assigned = ofRelease(this.assignment);
    const {
      manifest,
      reason = assigned?.reason,
      release = assigned?.release,
      shadows = assigned?.shadows,
    } = this.version ?? {};
    const record: CallRecord = {
      id,
      kind,
      at,
      caller,
      model,
      version: manifest?.version ?? assigned?.version,
      digest: manifest?.artifact.sha256,
      reason,
      release,
      shadows,
      rows: this.rows,
      tokens: this.tokens,
      pixels: this.pixels,
      seconds: this.seconds,
      bytes: this.bytes,
      cost: this.cost,
      executed: this.executed,
      durations: this.phases.durations,
      cache: this.cache,
      ...(this.spilled && { spilled: true }),
      ...(this.features && { features: this.features }),
      ...(this.lookup && { lookup: this.lookup }),
      quota: this.quota,
      error: error === undefined ? undefined : described(error),
      inputs: this.inputs,
    };
    this.#record = record;
    this.#ongoing?.end();
    this.#onRecord?.(record);
    this.#tell?.(record);
    return record;
  }
}

/** The assignment, unless the caller named the version and may have made it up. */
function ofRelease(assignment: Assignment | undefined): Assignment | undefined {
  const { reason } = assignment ?? {};
  return reason === "stable" || reason === "candidate" ? assignment : undefined;
}

function described(error: unknown): CallRecord["error"] {
  if (error instanceof NearcastError) return { code: error.code, message: error.message };
  return { code: "internal", message: error instanceof Error ? error.message : String(error) };
}
