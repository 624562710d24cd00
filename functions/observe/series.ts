import type { Metric } from "./metrics.ts";
import { createRecent } from "./recent.ts";

/** The sums of one metric and one set of labels. */
export interface Series {
  /** The metric's key in the table. */
  readonly id: string;
  readonly metric: Metric;
  readonly labels: readonly string[];
  /** The sum; of a histogram, how many values each bucket and the last, open one have, and then their sum. */
  readonly values: number[];
  /** The values that were taken before, where changes are taken. */
  taken: number[] | undefined;
  isTouched: boolean;
}

export function createSeries(id: string, metric: Metric, labels: readonly string[]): Series {
  const values = Array.from({ length: metric.buckets ? metric.buckets.length + 2 : 1 }, () => 0);
  return { id, metric, labels, values, taken: undefined, isTouched: false };
}

/** Adds a value to a counter, or counts it in a histogram. */
function addTo({ metric, values }: Series, value: number): void {
  const { buckets, scale = 1 } = metric;
  if (!buckets) {
    values[0] = (values[0] ?? 0) + value;
    return;
  }
  const scaled = value / scale;
  let bucket = 0;
  while (bucket < buckets.length && scaled > (buckets[bucket] as number)) bucket += 1;
  values[bucket] = (values[bucket] ?? 0) + 1;
  const sum = buckets.length + 1;
  values[sum] = (values[sum] ?? 0) + value;
}

/** How many sets of labels an instance keeps at least: versions, and routes with their statuses. */
const MOST_SUBJECTS = 1000;

/** The most series of a metric that differ in their own label, such as codes of errors. */
const MOST_OWN = 100;

/** The sums of one metric of a subject. */
interface Own<Counted> {
  readonly id: string;
  readonly metric: Metric;
  readonly of: NonNullable<Metric<Counted>["of"]>;
  readonly label: Metric<Counted>["label"];
  /** Where the metric has no label of its own. */
  readonly series: Series | undefined;
  /** By the value of the metric's own label. */
  readonly byLabel: Map<string, Series>;
}

/** Sums of metrics by subject: what their labels say of a record. */
export interface SubjectSums<Counted> {
  /** Adds what the record counts to the sums of the subject with these labels. */
  count(record: Counted, labels: readonly string[]): void;
  all(): Iterable<Series>;
}

/**
 * Sums of a part of the table. Subjects that were not used lately are forgotten beyond a bound. `onTouch` gets each series
 * that changed, until it is not touched any more.
 */
export function createSubjectSums<Counted>(
  table: Readonly<Record<string, Metric<Counted>>>,
  onTouch: ((series: Series) => void) | undefined,
): SubjectSums<Counted> {
  const rows = Object.entries(table);
  const subjects = createRecent<{ labels: readonly string[]; own: Own<Counted>[] }>(MOST_SUBJECTS);

  function begin(labels: readonly string[]) {
    const own = rows.map(([id, row]): Own<Counted> => {
      const metric = row as unknown as Metric;
      const { of = () => undefined, label } = row;
      const series = label ? undefined : createSeries(id, metric, labels);
      return { id, metric, of, label, series, byLabel: new Map() };
    });
    return { labels, own };
  }

  function labelled(
    { id, metric, label, byLabel }: Own<Counted>,
    labels: readonly string[],
    record: Counted,
  ): Series | undefined {
    const last = label?.(record);
    if (last === undefined) return undefined;
    let series = byLabel.get(last);
    if (!series && byLabel.size < MOST_OWN)
      byLabel.set(last, (series = createSeries(id, metric, [...labels, last])));
    return series;
  }

  return {
    count(record, labels) {
      let subject = subjects.get(labels);
      if (!subject) subjects.set(labels, (subject = begin(labels)));
      const { own } = subject;
      // Not destructured: this is done some twenty times for each call.
      for (let index = 0; index < own.length; index++) {
        const one = own[index] as Own<Counted>;
        const value = one.of(record);
        if (value === undefined || (value === 0 && !one.metric.buckets)) continue;
        const series = one.series ?? labelled(one, subject.labels, record);
        if (!series) continue;
        addTo(series, value);
        if (onTouch && !series.isTouched) {
          series.isTouched = true;
          onTouch(series);
        }
      }
    },
    *all() {
      for (const { own } of subjects.values())
        for (const { series, byLabel } of own) {
          if (series?.values.some((value) => value !== 0)) yield series;
          yield* byLabel.values();
        }
    },
  };
}

/** What was added since the last time, by place in the values. */
export function takeChanges(series: Series): [place: number, change: number][] {
  const { values, taken } = series;
  const changes = values.flatMap((value, place): [number, number][] => {
    const change = value - (taken?.[place] ?? 0);
    return change === 0 ? [] : [[place, change]];
  });
  series.taken = [...values];
  series.isTouched = false;
  return changes;
}
