import * as z from "zod";
import { timeAt } from "./row.ts";
import type { FeatureRow } from "./source.ts";

/** Where the value of one feature of one input is from. */
export const featureStatusSchema = z.strictObject({
  status: z
    .enum(["given", "found", "default", "missing"])
    .describe(
      "`given`: the input had it. `found`: the source knew it. `default`: the manifest's. `missing`: the model was told that it is missing.",
    ),
  reason: z
    .enum(["not_found", "stale", "unavailable"])
    .optional()
    .describe("Why it is not `found`."),
  ageSeconds: z
    .number()
    .min(0)
    .optional()
    .describe("Seconds since the event that a found value is from, where the source says it."),
});

export type FeatureStatus = z.output<typeof featureStatusSchema>;
/** Why a feature has no value of the source. */
export type Reason = NonNullable<FeatureStatus["reason"]>;

/** The statuses of an input's looked-up features, by name. */
export type FeatureStatuses = Readonly<Record<string, FeatureStatus>>;

const statuses = ["given", "found", "default", "missing"] as const;
const count = z.number().int().positive().optional();

/** Where the values of one feature of several inputs are from. */
export const featureSummarySchema = z.strictObject({
  given: count.describe("How many inputs had it."),
  found: count.describe("How many the source knew."),
  default: count.describe("How many got the manifest's default."),
  missing: count.describe("For how many the model was told that it is missing."),
  oldestSeconds: z
    .number()
    .min(0)
    .optional()
    .describe("The greatest age of a found value, where the source says it."),
  others: z
    .array(
      z.strictObject({
        input: z.number().int().min(0).describe("The place of the input, from 0."),
        status: featureStatusSchema.shape.status,
        reason: featureStatusSchema.shape.reason,
      }),
    )
    .optional()
    .describe("The inputs whose value is neither given nor found."),
});

export type FeatureSummaries = Readonly<Record<string, z.output<typeof featureSummarySchema>>>;

/** How many values of a call had which status. */
export interface FeatureCounts {
  given: number;
  found: number;
  default: number;
  missing: number;
  /** The greatest age of a value that was found, in seconds. */
  oldestSeconds: number | undefined;
}

export const GIVEN: FeatureStatus = { status: "given" };

export function foundStatus(at: number | undefined, now: number): FeatureStatus {
  if (at === undefined) return { status: "found" };
  return { status: "found", ageSeconds: secondsSince(at, now) };
}

/** What is known of an input all of whose features are from one entity. */
export interface OfEntity {
  row: FeatureRow;
  /** The time of the oldest value that has one. */
  oldestAt: number | undefined;
  /** Whether all values have that time. */
  isOfOneTime: boolean;
}

/** All given, all of one entity, or the status of each. */
type OfInput = "given" | OfEntity | { own: FeatureStatuses };

/** Where the looked-up features of a call's inputs are from. Most inputs take no more than a reference. */
export class Statuses {
  readonly #names: readonly string[];
  readonly #now: number;
  readonly #all: OfInput[] = [];
  readonly #counts = { given: 0, found: 0, default: 0, missing: 0 };
  #oldestAt: number | undefined;

  /** `now` is when ages count from, in milliseconds since 1970. */
  constructor(names: readonly string[], now: number) {
    this.#names = names;
    this.#now = now;
  }

  addGiven(): void {
    this.#all.push("given");
    this.#counts.given += this.#names.length;
  }

  addFound(entity: OfEntity): void {
    this.#all.push(entity);
    this.#counts.found += this.#names.length;
    this.#isFrom(entity.oldestAt);
  }

  add(own: FeatureStatuses): void {
    this.#all.push({ own });
    for (const { status, ageSeconds } of Object.values(own)) {
      this.#counts[status] += 1;
      if (ageSeconds !== undefined) this.#isFrom(this.#now - ageSeconds * 1000);
    }
  }

  get counts(): FeatureCounts {
    const oldestSeconds =
      this.#oldestAt === undefined ? undefined : secondsSince(this.#oldestAt, this.#now);
    return { ...this.#counts, oldestSeconds };
  }

  /** The statuses of one input. */
  of(input: number): FeatureStatuses {
    const known = this.#all[input] ?? "given";
    if (known !== "given" && "own" in known) return known.own;
    const statuses: Record<string, FeatureStatus> = {};
    let status = known === "given" ? GIVEN : foundStatus(timeAt(known.row, 0), this.#now);
    for (let place = 0; place < this.#names.length; place++) {
      if (known !== "given" && !known.isOfOneTime)
        status = foundStatus(timeAt(known.row, place), this.#now);
      statuses[this.#names[place] as string] = status;
    }
    return statuses;
  }

  /** The statuses of all inputs, by feature: an answer with each of thousands would take longer than their run. */
  summary(): FeatureSummaries {
    let givenInputs = 0;
    let found = 0;
    let oldestOfAll: number | undefined;
    const mixed: OfEntity[] = [];
    const others: { input: number; own: FeatureStatuses }[] = [];
    for (let input = 0; input < this.#all.length; input++) {
      const known = this.#all[input] ?? "given";
      if (known === "given") givenInputs += 1;
      else if ("own" in known) others.push({ input, own: known.own });
      else {
        found += 1;
        if (known.isOfOneTime) oldestOfAll = earlier(oldestOfAll, known.oldestAt);
        else mixed.push(known);
      }
    }
    const summaries: Record<string, FeatureSummaries[string]> = {};
    if (mixed.length === 0 && others.length === 0) {
      // One summary is all features' own, as in most calls. To make each takes a fifth of the look-up's time.
      const oldest = oldestOfAll === undefined ? undefined : secondsSince(oldestOfAll, this.#now);
      const summary = {
        ...(givenInputs > 0 && { given: givenInputs }),
        ...(found > 0 && { found }),
        ...(oldest !== undefined && { oldestSeconds: oldest }),
      };
      for (const name of this.#names) summaries[name] = summary;
      return summaries;
    }
    for (const [place, name] of this.#names.entries()) {
      const counts = { given: givenInputs, found, default: 0, missing: 0 };
      let oldestAt = oldestOfAll;
      for (const { row } of mixed) oldestAt = earlier(oldestAt, timeAt(row, place));
      let oldest = oldestAt === undefined ? -1 : secondsSince(oldestAt, this.#now);
      const unusual = [];
      for (const { input, own } of others) {
        const { status, reason, ageSeconds } = own[name] ?? GIVEN;
        counts[status] += 1;
        if (ageSeconds !== undefined) oldest = Math.max(oldest, ageSeconds);
        if (status === "default" || status === "missing")
          unusual.push({ input, status, ...(reason && { reason }) });
      }
      const some = statuses.filter((status) => counts[status] > 0);
      summaries[name] = {
        ...Object.fromEntries(some.map((status) => [status, counts[status]])),
        ...(oldest >= 0 && { oldestSeconds: oldest }),
        ...(unusual.length > 0 && { others: unusual }),
      };
    }
    return summaries;
  }

  #isFrom(at: number | undefined): void {
    this.#oldestAt = earlier(this.#oldestAt, at);
  }
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}

function secondsSince(at: number, now: number): number {
  return Math.max(0, Math.round(now - at) / 1000);
}

/** The header `X-Feature-Status`, a dictionary of RFC 9651: `found=3, default=1, oldest=86400`. */
export function statusHeader({ oldestSeconds, ...counts }: FeatureCounts): string {
  let value = "";
  for (const status of statuses)
    if (counts[status] > 0) value += `${value && ", "}${status}=${counts[status]}`;
  return oldestSeconds === undefined ? value : `${value}, oldest=${Math.round(oldestSeconds)}`;
}
