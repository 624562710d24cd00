import {
  LONGEST_FIELD,
  MOST_FIELDS,
  MOST_GROUP_FIELDS,
  type Add,
  type Counters,
  type Group,
} from "./counters.ts";

/** The sums of one group. */
export interface GroupSums {
  readonly group: Group;
  readonly fields: Map<string, number>;
  /** When its time is over, in milliseconds of the clock. */
  endsAt: number;
}

/** Sums in memory, with a bound. */
export interface Sums {
  /** Adds to the group. What does not fit, or is no number, is lost. */
  add: Add;
  /**
   * As {@link Counters} have it. Gives whether the source waits. A source that another one names has its turn right after
   * it.
   */
  addSoon: (...source: Parameters<Counters["addSoon"]>) => boolean;
  /** The fields of a group, if it has any and its time is not over. */
  of(group: Group): ReadonlyMap<string, number> | undefined;
  /** Removes the wanted groups, and gives them. Those whose time is over are only removed. */
  take(isWanted: (group: Group) => boolean): GroupSums[];
}

/** At most once in this time the log speaks of losses: a field too many is lost with each addition. */
const REPORT_MS = 60_000;
/** Nobody may read for days. Each source has sums of its own that wait. */
const MOST_SOURCES = 1000;

/** Makes sums. `onLoss` gets how many additions were lost since it was called last, at most once a minute. */
export function createSums(
  onLoss: (lost: number) => void,
  now: () => number = () => performance.now(),
): Sums {
  const groups = new Map<string, GroupSums>();
  const sources = new Set<(add: Add) => void>();
  /** Of all fields, and of the groups. */
  let count = 0;
  let isAsking = false;
  let lost = 0;
  let reportAt = -Infinity;

  function lose(): void {
    lost += 1;
    if (now() < reportAt) return;
    reportAt = now() + REPORT_MS;
    onLoss(lost);
    lost = 0;
  }

  function removeOld(): void {
    for (const [key, { endsAt, fields }] of groups)
      if (endsAt <= now()) {
        groups.delete(key);
        count -= fields.size + 1;
      }
  }

  function groupOf(group: Group): GroupSums | undefined {
    const key = keyOf(group);
    const known = groups.get(key);
    if (known && known.endsAt > now()) return known;
    removeOld();
    if (count >= MOST_FIELDS) return undefined;
    const begun = { group, fields: new Map<string, number>(), endsAt: 0 };
    groups.set(key, begun);
    count += 1;
    return begun;
  }

  function addField(own: Map<string, number>, field: string, value: number): void {
    const sum = own.get(field);
    if (!Number.isFinite(value)) return lose();
    if (sum === undefined) {
      if (count >= MOST_FIELDS || own.size >= MOST_GROUP_FIELDS) return lose();
      if (field.length > LONGEST_FIELD) return lose();
      count += 1;
    }
    own.set(field, (sum ?? 0) + value);
  }

  function add(group: Group, fields: ReadonlyMap<string, number>): void {
    const own = groupOf(group);
    if (!own) return lose();
    own.endsAt = now() + group.keptSeconds * 1000;
    for (const [field, value] of fields) addField(own.fields, field, value);
  }

  function askSources(): void {
    isAsking = true;
    try {
      // The loop also meets sources that are added meanwhile.
      for (const source of sources) {
        sources.delete(source);
        source(add);
      }
    } finally {
      isAsking = false;
    }
  }

  return {
    add,
    addSoon(source) {
      if (sources.size >= MOST_SOURCES && !isAsking) askSources();
      sources.add(source);
      return !isAsking;
    },
    of(group) {
      askSources();
      const known = groups.get(keyOf(group));
      return known && known.endsAt > now() ? known.fields : undefined;
    },
    take(isWanted) {
      askSources();
      removeOld();
      const taken = [...groups.values()].filter(({ group }) => isWanted(group));
      for (const { group, fields } of taken) {
        groups.delete(keyOf(group));
        count -= fields.size + 1;
      }
      return taken;
    },
  };
}

function keyOf({ model, name }: Group): string {
  return `${model}/${name}`;
}
