/** Whose features: the keys of an input by name. Integers are safe, and strings are well-formed. */
export type EntityKeys = Readonly<Record<string, string | number>>;

/** What a source knows of one feature of one entity. */
export interface FeatureValue {
  /** As JSON has it. null counts as not known. */
  value: unknown;
  /** When that was so, in milliseconds since 1970. Absent where the source does not say it. */
  at?: number | undefined;
  /** Whether the source itself says that the value is too old. */
  isStale?: boolean | undefined;
  /** Whether what is stored cannot be read: there is no value, and no default stands in for it. */
  isUnreadable?: boolean | undefined;
}

/** What a source knows of one entity: a value for each name that was asked for, in their order, or undefined. */
export type FeatureRow = readonly (FeatureValue | undefined)[];

/** Where features are looked up: a deployment's own is given to `createService`. */
export interface FeatureSource {
  /** The name by which manifests ask for it. */
  name: string;
  /**
   * Reads the features of several entities at once: a row for each, in order. An entity that is not known has a row
   * without values. All entities differ. Rejects when the source cannot answer, and may do so once the signal is aborted:
   * nobody waits any longer.
   *
   * @example
   * const [[spend, tier]] = await source.read([{ customer_id: 42 }], ["avg_spend", "tier"], { signal });
   */
  read(
    entities: readonly EntityKeys[],
    names: readonly string[],
    options: { signal: AbortSignal },
  ): Promise<readonly FeatureRow[]>;
}

/** A row of a table to be written to a source. */
export interface StoredFeatures {
  keys: EntityKeys;
  values: Readonly<Record<string, unknown>>;
  /** When the values were so, in milliseconds since 1970. */
  at?: number | undefined;
}
