export interface StoredObject {
  bytes: Uint8Array;
  etag: string;
}

/** A put happens only while this holds: the object is absent, or still has this ETag. */
export type PutCondition = { ifNoneMatch: "*" } | { ifMatch: string };

/**
 * Object storage. Every method rejects when storage cannot answer; absence and unmet conditions are
 * values. `signal` ends the wait where the driver can; callers bound the wait themselves as well.
 */
export interface Store {
  get: (
    key: string,
    options?: { ifNoneMatch?: string | undefined; signal?: AbortSignal },
  ) => Promise<StoredObject | "not-modified" | undefined>;
  head: (
    key: string,
    options?: { signal?: AbortSignal },
  ) => Promise<{ etag: string; size: number } | undefined>;
  /** Every key that begins with `prefix`, which is empty or ends in `/`. */
  list: (prefix: string, options?: { signal?: AbortSignal }) => Promise<string[]>;
  /** The new ETag, or undefined when the condition did not hold and nothing was written. */
  put: (key: string, bytes: Uint8Array, condition?: PutCondition) => Promise<string | undefined>;
}
