import type { Manifest } from "../../model/manifest.ts";
import type { Counters } from "../counters.ts";
import { feedbackGroup } from "./feedback.ts";
import { accuracyOf, type Accuracy } from "./outcomes.ts";

const DAY_MS = 86_400_000;

/** How right the predictions of a version were, by the feedback of the last days, over all instances. */
export async function accuracyOver(
  counters: Pick<Counters, "read">,
  manifest: Manifest,
  days: number,
): Promise<Accuracy> {
  const now = Date.now();
  const sums = await Promise.all(
    Array.from({ length: days }, async (_, ago) =>
      counters.read(feedbackGroup(manifest, now - ago * DAY_MS)),
    ),
  );
  const all = new Map<string, number>();
  for (const own of sums)
    for (const [field, value] of own) all.set(field, (all.get(field) ?? 0) + value);
  return accuracyOf(all, manifest);
}
