import type { Platform } from "../platform/types.ts";

/** Whether the platform answers files later: it does where there is a queue. */
export function hasBatches({ jobs }: Pick<Platform, "jobs">): boolean {
  return jobs !== undefined;
}
