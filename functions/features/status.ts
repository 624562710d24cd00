import * as z from "zod";
import type { FeatureRow, FeatureValue } from "./source.ts";

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

export function foundStatus(known: FeatureValue | undefined, now: number): FeatureStatus {
  if (known?.at === undefined) return { status: "found" };
  return { status: "found", ageSeconds: secondsSince(known.at, now) };
}

/** An input all of whose features are given, or found in this row. Or the status of each. */
type OfInput = "given" | { row: FeatureRow; now: number } | FeatureStatuses;

/** Where the looked-up features of a call's inputs are from. Most inputs take no more than a reference. */
export class Statuses {
  readonly #names: readonly string[];
  readonly #all: OfInput[] = [];
  readonly counts: FeatureCounts = {
    given: 0,
    found: 0,
    default: 0,
    missing: 0,
    oldestSeconds: undefined,
  };

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  addGiven(): void {
    this.#all.push("given");
    this.counts.given += this.#names.length;
  }

  addFound(row: FeatureRow, oldestAt: number | undefined, now: number): void {
    this.#all.push({ row, now });
    this.counts.found += this.#names.length;
    if (oldestAt !== undefined) this.#age(secondsSince(oldestAt, now));
  }

  add(own: FeatureStatuses): void {
    this.#all.push(own);
    for (const { status, ageSeconds } of Object.values(own)) {
      this.counts[status] += 1;
      if (ageSeconds !== undefined) this.#age(ageSeconds);
    }
  }

  /** The statuses of one input. */
  of(input: number): FeatureStatuses {
    const own = this.#all[input] ?? "given";
    if (own !== "given" && !isRow(own)) return own;
    const statuses: Record<string, FeatureStatus> = {};
    let status = GIVEN;
    let before: number | undefined = NaN;
    for (let place = 0; place < this.#names.length; place++) {
      if (own !== "given") {
        const known = own.row[place];
        // Most rows have one time for all of their values.
        if (known?.at !== before) status = foundStatus(known, own.now);
        before = known?.at;
      }
      statuses[this.#names[place] as string] = status;
    }
    return statuses;
  }

  /** The statuses of all inputs, by feature: an answer with each of thousands would take longer than their run. */
  summary(): FeatureSummaries {
    let givenInputs = 0;
    const others: { input: number; own: FeatureStatuses }[] = [];
    const rows: { row: FeatureRow; now: number }[] = [];
    for (const [input, own] of this.#all.entries())
      if (own === "given") givenInputs += 1;
      else if (isRow(own)) rows.push(own);
      else others.push({ input, own });
    return Object.fromEntries(
      this.#names.map((name, place) => {
        const counts = { given: givenInputs, found: rows.length, default: 0, missing: 0 };
        let oldest = -1;
        for (const { row, now } of rows) {
          const at = row[place]?.at;
          if (at !== undefined) oldest = Math.max(oldest, secondsSince(at, now));
        }
        const unusual = [];
        for (const { input, own } of others) {
          const { status, reason, ageSeconds } = own[name] ?? GIVEN;
          counts[status] += 1;
          if (ageSeconds !== undefined) oldest = Math.max(oldest, ageSeconds);
          if (status === "default" || status === "missing")
            unusual.push({ input, status, ...(reason && { reason }) });
        }
        const some = statuses.filter((status) => counts[status] > 0);
        return [
          name,
          {
            ...Object.fromEntries(some.map((status) => [status, counts[status]])),
            ...(oldest >= 0 && { oldestSeconds: oldest }),
            ...(unusual.length > 0 && { others: unusual }),
          },
        ];
      }),
    );
  }

  #age(seconds: number): void {
    this.counts.oldestSeconds = Math.max(this.counts.oldestSeconds ?? 0, seconds);
  }
}

function isRow(own: Exclude<OfInput, "given">): own is { row: FeatureRow; now: number } {
  return "row" in own && Array.isArray(own["row"]);
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
