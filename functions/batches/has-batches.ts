import type { Platform } from "../platform/types.ts";

/** Whether the platform answers files later. Workers and Lambda have no uploads of this size, and short steps. */
export function hasBatches({ name, jobs }: Pick<Platform, "name" | "jobs">): boolean {
  return jobs !== undefined && name === "node";
}
