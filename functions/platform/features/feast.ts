import { readAtMost } from "../../read-at-most.ts";
import type { FeatureProblem, FeatureRow, FeatureSource } from "../../features/source.ts";

/** A thousand entities with hundreds of features have fewer. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Feast's online answer: a column for each feature, over all entities. */
interface OnlineFeatures {
  metadata: { feature_names: readonly string[] };
  results: readonly Column[];
}

interface Column {
  values: readonly unknown[];
  statuses: readonly string[];
  event_timestamps: readonly string[];
}

/**
 * Features of Feast's feature server: `feast+https://host`. Names are Feast's own, `view:feature`, in the manifest's `from`.
 * One request reads all entities.
 */
export function createFeastSource(name: string, url: string): FeatureSource {
  const endpoint = `${url.replace(/^feast\+/, "").replace(/\/+$/, "")}/get-online-features`;
  return {
    name,
    async read(entities, names, { signal }) {
      const keys = Object.keys(entities[0] ?? {});
      const response = await fetch(endpoint, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({
          features: names,
          entities: Object.fromEntries(
            keys.map((key) => [key, entities.map((entity) => entity[key])]),
          ),
          full_feature_names: true,
        }),
        signal,
        redirect: "error",
      });
      if (!response.ok || !response.body) {
        await response.body?.cancel();
        throw new Error(`Feast answered ${response.status}`);
      }
      const bytes = await readAtMost(response.body, MOST_BYTES, "Feast's answer");
      const text = new TextDecoder().decode(bytes);
      const { metadata, results } = JSON.parse(text) as OnlineFeatures;
      const columns = names.map((feature) => {
        const column = results[metadata.feature_names.indexOf(feature.replace(":", "__"))];
        if (column) return column;
        throw new Error(`Feast's answer has no ${feature}`);
      });
      return entities.map((_, place) => rowOf(columns, place));
    },
  };
}

function rowOf(columns: readonly Column[], place: number): FeatureRow {
  const statuses = columns.map((column) => column.statuses[place]);
  return {
    values: columns.map(({ values }, i) => (isKnown(statuses[i]) ? values[place] : undefined)),
    at: columns.map(({ event_timestamps: stamps }) =>
      stamps[place] === undefined ? undefined : Date.parse(stamps[place]),
    ),
    problem: statuses.map(problemOf),
  };
}

function isKnown(status: string | undefined): boolean {
  return status === "PRESENT" || status === "OUTSIDE_MAX_AGE";
}

function problemOf(status: string | undefined): FeatureProblem | undefined {
  if (status === "OUTSIDE_MAX_AGE") return "stale";
  const isRead = status === "PRESENT" || status === "NOT_FOUND" || status === "NULL_VALUE";
  return isRead ? undefined : "unreadable";
}
