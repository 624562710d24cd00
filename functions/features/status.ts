import * as z from "zod";

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

export function countStatuses(all: readonly FeatureStatuses[]): FeatureCounts {
  const counts: FeatureCounts = {
    given: 0,
    found: 0,
    default: 0,
    missing: 0,
    oldestSeconds: undefined,
  };
  for (const statuses of all)
    for (const name in statuses) {
      const { status, ageSeconds } = statuses[name] as FeatureStatus;
      counts[status] += 1;
      if (status === "found" && ageSeconds !== undefined)
        counts.oldestSeconds = Math.max(counts.oldestSeconds ?? 0, ageSeconds);
    }
  return counts;
}

/** The header `X-Feature-Status`, a dictionary of RFC 9651: `found=3, default=1, oldest=86400`. */
export function statusHeader({ oldestSeconds, ...counts }: FeatureCounts): string {
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  const age: [string, number][] =
    oldestSeconds === undefined ? [] : [["oldest", Math.round(oldestSeconds)]];
  return [...parts, ...age].map(([name, value]) => `${name}=${value}`).join(", ");
}
