import { entityId } from "./entity.ts";
import { recordOf, rowOf } from "./record.ts";
import { emptyRow } from "./row.ts";
import type { FeatureSource, StoredFeatures } from "./source.ts";

/**
 * A source in memory: for tests, and for tables that are part of the code.
 *
 * @example
 * const customers = createMemorySource("customers", [
 *   { keys: { customer_id: 42 }, values: { avg_spend: 12.5, tier: "gold" }, at: Date.parse("2026-01-01") },
 * ]);
 * const service = createService(platform, { sources: [customers] });
 */
export function createMemorySource(name: string, rows: readonly StoredFeatures[]): FeatureSource {
  const known = new Map(rows.map((row) => [entityId(row.keys), recordOf(row)]));
  return {
    name,
    read(entities, names) {
      return entities.map((keys) => {
        const record = known.get(entityId(keys));
        return record ? rowOf(record, names) : emptyRow(names);
      });
    },
  };
}
