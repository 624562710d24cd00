export interface StoredObject {
  bytes: Uint8Array;
  etag: string;
}

/**
 * Storage refuses and will go on refusing until somebody changes a setting: there is no such bucket, or no access to
 * it. `reason` completes "The model store did not answer: …". Clients may read it.
 */
export class StoreRefusal extends Error {
  readonly reason: string;

  constructor(reason: string, cause: Error) {
    super(`${reason} (${cause.message})`, { cause });
    this.name = cause.name;
    this.reason = reason;
  }
}

/** The condition of a put: the object is absent, or still has this ETag. */
export type PutCondition = { ifNoneMatch: "*" } | { ifMatch: string };

/** The most bytes of an object whose reader does not say more. */
export const MAX_UNTOLD_BYTES = 64 * 1024 * 1024;

export interface GetOptions {
  ifNoneMatch?: string | undefined;
  signal?: AbortSignal;
  /** Rejects with `TooManyBytes` when there are more. {@link MAX_UNTOLD_BYTES} when absent. */
  maxBytes?: number;
}

/** Every part of an object but the last one has so many bytes: S3 and R2 take none that are smaller. */
export const PART_BYTES = 5 * 1024 * 1024;

/** Writes objects in parts, which several processes may do one after the other. */
export interface StoreParts {
  /** Begins an object, and gives the writing's id. */
  begin: (key: string) => Promise<string>;
  /** Writes a part, from 0, and gives its tag. The same part again takes its place, with another tag. */
  put: (key: string, id: string, part: number, bytes: Uint8Array) => Promise<string>;
  /** Makes the object of all parts. False where the key has an object, which stays: then the parts are gone. */
  end: (key: string, id: string, tags: readonly string[]) => Promise<boolean>;
  /** Removes the parts of an object that will not be. */
  drop: (key: string, id: string) => Promise<void>;
}

/**
 * Object storage. Every method rejects when storage cannot answer. Absence and unmet conditions are values.
 * `signal` ends the wait where the driver can do that; callers also limit the wait themselves.
 */
export interface Store {
  get: (key: string, options?: GetOptions) => Promise<StoredObject | "not-modified" | undefined>;
  head: (
    key: string,
    options?: { signal?: AbortSignal },
  ) => Promise<{ etag: string; size: number } | undefined>;
  /**
   * The bytes of an object from `start` up to `end`, without that one: fewer where it ends before. `start` is within it.
   * Absent where the store cannot read parts: then no files of inputs are read from it.
   */
  slice?: (
    key: string,
    start: number,
    end: number,
    options?: { signal?: AbortSignal },
  ) => Promise<Uint8Array | undefined>;
  /**
   * All keys that begin with `prefix`. It is empty or ends in `/`. Leaves out keys whose next name begins with a dot: what
   * is no model, and may be much.
   */
  list: (prefix: string, options?: { signal?: AbortSignal }) => Promise<string[]>;
  /** Writes the object and gives its new ETag. Undefined when the condition did not hold and nothing was written. */
  put: (key: string, bytes: Uint8Array, condition?: PutCondition) => Promise<string | undefined>;
  /** Absent where the store cannot write objects in parts. */
  inParts?: StoreParts;
  /** Removes the object. Does nothing when there is none. */
  delete: (key: string) => Promise<void>;
}
