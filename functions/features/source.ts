/** Whose features: the keys of an input by name. Integers are safe, and strings are well-formed. */
export type EntityKeys = Readonly<Record<string, string | number>>;

/**
 * Why a value is not used. `stale`: the source itself says that it is too old. `unreadable`: what is stored cannot be
 * read, and no default stands in for it.
 */
export type FeatureProblem = "stale" | "unreadable";

/** One for all values of a row, or a list with one for each. null is as undefined: databases have it. */
export type OfEach<T> = T | readonly (T | null | undefined)[] | null | undefined;

/** What a source knows of one entity. */
export interface FeatureRow {
  /** As JSON has them: one for each name that was asked for, in their order. null and undefined count as not known. */
  values: readonly unknown[];
  /**
   * When they were so, in milliseconds since 1970: one time for all of them, or a time for each. Absent where the source
   * does not say it.
   */
  at?: OfEach<number>;
  /** Of all values, or of each. */
  problem?: OfEach<FeatureProblem>;
}

/** Where features are looked up: a deployment's own is given to `createService`. */
export interface FeatureSource {
  /** The name by which manifests ask for it. */
  name: string;
  /**
   * Reads the features of several entities at once: a row for each, in order. All values of an entity that is not
   * known are undefined. All entities differ. Rejects when the source cannot answer, and may do so once the signal is aborted:
   * nobody waits any longer. A source in memory may give
   * the rows at once, which takes less time than a promise.
   *
   * @example
   * const [row] = await source.read([{ customer_id: 42 }], ["avg_spend", "tier"], { signal });
   * row.values; // [12.5, "gold"]
   */
  read(
    entities: readonly EntityKeys[],
    names: readonly string[],
    options: { signal: AbortSignal },
  ): readonly FeatureRow[] | Promise<readonly FeatureRow[]>;
}

/** A row of a table to be written to a source. */
export interface StoredFeatures {
  keys: EntityKeys;
  values: Readonly<Record<string, unknown>>;
  /** When the values were so, in milliseconds since 1970. */
  at?: number | undefined;
}
