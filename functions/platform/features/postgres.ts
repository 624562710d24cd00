import { entityId } from "../../features/entity.ts";
import { emptyRow, unreadableRow } from "../../features/row.ts";
import type { EntityKeys, FeatureRow, FeatureSource } from "../../features/source.ts";

/** Where a table is, and which column says when a row was so. */
export interface PostgresTable {
  connectionString: string;
  table: string;
  at: string | undefined;
}

export interface Query {
  text: string;
  values: unknown[];
}

export type Found = Record<string, unknown>;

/** Runs one query. Rejects when the signal is aborted, and then holds no connection. */
export type AskPostgres = (query: Query, signal: AbortSignal) => Promise<Found[]>;

/** Reads `postgres://user:password@host/database?table=shop.customers&at=updated_at`. Undefined for anything else. */
export function parsePostgresUrl(text: string): PostgresTable | undefined {
  if (!/^(postgres(ql)?|hyperdrive):/.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const { table = "", at, ...others } = Object.fromEntries(url.searchParams);
  if (!/^\w+(\.\w+)?$/.test(table)) return undefined;
  url.search = String(new URLSearchParams(others));
  return { connectionString: url.href, table, at };
}

/**
 * Features in a table of Postgres: a row for each entity, with a column for each key (`bigint` or `integer`, `text` or
 * `varchar`) and each feature. One query reads all entities.
 */
export function createPostgresSource(
  name: string,
  { table, at }: Pick<PostgresTable, "table" | "at">,
  ask: AskPostgres,
): FeatureSource {
  return {
    name,
    async read(entities, names, { signal }) {
      const keys = Object.keys(entities[0] ?? {});
      // No text of Postgres has this character.
      const possible = entities.filter((entity) => !JSON.stringify(entity).includes("\\u0000"));
      const asked = keys.map((key) => possible.map((entity) => entity[key]));
      const text = queryFor(table, keys, names, {
        at,
        types: keys.map((_, i) => typeOf(asked[i])),
      });
      const rows = await ask({ text, values: asked }, signal);
      const found = new Map<string, FeatureRow>();
      for (const row of rows) {
        const id = entityId(
          Object.fromEntries(keys.map((key, i) => [key, row[`k${i}`]])) as EntityKeys,
        );
        // Rows come by time. Without one, nothing says which of two counts.
        const isOneOfMany = at === undefined && found.has(id);
        found.set(id, isOneOfMany ? unreadableRow(names) : rowOf(row, names));
      }
      return entities.map((entity) => found.get(entityId(entity)) ?? emptyRow(names));
    },
  };
}

function rowOf(row: Found, names: readonly string[]): FeatureRow {
  const at = typeof row["at"] === "number" ? row["at"] : undefined;
  return { values: names.map((_, i) => row[`v${i}`]), at };
}

function queryFor(
  table: string,
  keys: readonly string[],
  names: readonly string[],
  { at, types }: { at: string | undefined; types: readonly string[] },
): string {
  // As JSON, all numbers are numbers: pg gives bigint and numeric as texts.
  const columns = [
    ...keys.map((key, i) => `to_json(${quoted(key)}) AS k${i}`),
    ...names.map((feature, i) => `to_json(${quoted(feature)}) AS v${i}`),
  ];
  if (at !== undefined) columns.push(`(extract(epoch FROM ${quoted(at)}) * 1000)::float8 AS at`);
  const given = types.map((type, i) => `$${i + 1}::${type}[]`);
  return [
    `SELECT ${columns.join(", ")} FROM ${table.split(".").map(quoted).join(".")}`,
    `WHERE (${keys.map(quoted).join(", ")}) IN (SELECT * FROM unnest(${given.join(", ")}))`,
    ...(at === undefined ? [] : [`ORDER BY ${quoted(at)}`]),
  ].join(" ");
}

function typeOf(values: readonly unknown[] | undefined): string {
  return typeof values?.[0] === "number" ? "bigint" : "text";
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
