import { NearcastError } from "../errors.ts";

/** What is summed together. Its fields are read and expire together. */
export interface Group {
  /** A model's name, or "*" for the whole service. */
  model: string;
  /** Such as "metrics", "rollout/4/2" or "drift/3/2026-11-29T06". */
  name: string;
  /** How long the sums are kept after the last addition. */
  keptSeconds: number;
}

/** Adds to the fields of a group. */
export type Add = (group: Group, fields: ReadonlyMap<string, number>) => void;

/** Sums of numbers by field. All instances add to the same sums, where the platform has a place for them. */
export interface Counters {
  /**
   * Adds to a group's fields. Returns at once. An instance gathers what is added and sends it about once a second. What
   * cannot be sent is kept for the next time. Beyond a bound it is lost, and the log says how much. Never throws.
   *
   * @example counters.add({ model: "iris", name: "rollout/4", keptSeconds: 86_400 }, new Map([["errors", 1]]));
   */
  add: Add;
  /**
   * Calls `source` once, before sums are next read or sent. It then adds what it has summed up itself since. For what
   * each request adds to: additions of its own would take longer than the counting. Returns at once.
   */
  addSoon(source: (add: Add) => void): void;
  /**
   * The sums of a group, with what this instance has not sent yet. Empty where nothing was added, or its time is over.
   * Rejects while the place with the sums cannot be reached.
   */
  read(group: Group): Promise<Map<string, number>>;
  /** Sends what was gathered. Resolves when that is done or has failed. Called before a process ends. */
  flush(): Promise<void>;
}

/** The most fields that an instance keeps, of all groups together. One takes about 100 bytes. */
export const MOST_FIELDS = 50_000;

/** The most fields of one group: an item of DynamoDB holds 400 KB. */
export const MOST_GROUP_FIELDS = 2500;

/** The longest name of a field, in UTF-16 code units. */
export const LONGEST_FIELD = 130;

/** Throws `store_unavailable`: the place with the sums cannot be reached. */
export function countsOutOfReach(cause: unknown): never {
  throw new NearcastError("store_unavailable", "What was counted is out of reach.", {
    retryAfterSeconds: 1,
    cause,
  });
}
