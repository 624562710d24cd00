import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Assignment } from "../../functions/model/assignment.ts";
import { parseRelease, type Release } from "../../functions/model/release.ts";

/** A release, and what keys get from it. */
export interface Vectors {
  release: Release;
  assigned: (Pick<Assignment, "version" | "reason" | "shadows"> & { key: string })[];
}

/** What test/fixtures/make-assignments.py computed, apart from the code. */
export function assignmentVectors(): Vectors[] {
  const file = join(import.meta.dirname, "../fixtures/assignments.json");
  const vectors = JSON.parse(readFileSync(file, "utf8")) as (Vectors & { release: object })[];
  return vectors.map(({ release, assigned }) => ({
    release: parseRelease(JSON.stringify(release)),
    assigned,
  }));
}

/** Whether all platforms read the key alike from a header. */
export function isHeader(key: string): boolean {
  return /^[!-~](?:[ -~]*[!-~])?$/.test(key);
}
