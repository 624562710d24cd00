import type { CallRecord } from "../call.ts";
import type { Add, Counters, Group } from "./counters.ts";
import {
  CALL_METRICS,
  CAPTURE_METRICS,
  COPY_METRICS,
  JOB_METRICS,
  LOAD_METRICS,
  LOOKUP_METRICS,
  REQUEST_METRICS,
  SERVICE_METRICS,
  SUMMED,
  WEBHOOK_METRICS,
} from "./metrics.ts";
import { gather, type Gathered } from "./gather.ts";
import type { Observer, RequestRecord } from "./observer.ts";
import { createSeries, createSubjectSums, takeChanges, type Series } from "./series.ts";

/** Counts records by the table of metrics. */
export interface MetricCounts extends Observer {
  /** The sums of this instance, or of all instances where they count together. */
  series(): Promise<Series[]>;
  /** The sums of this instance. */
  own(): Series[];
}

/** A week: sums of a model that nobody asks any more are forgotten. */
const KEPT_SECONDS = 604_800;

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]);

/** Separates the parts of a field. No label has it. */
const BETWEEN = "\n";

/** Models that have counted. The sums of each are in a group of its own. */
const MODELS: Group = { model: "*", name: "metrics/models", keptSeconds: KEPT_SECONDS };

/** What each request makes, gathered. */
export interface GatheredRecords {
  calls: Gathered<CallRecord>;
  requests: Gathered<RequestRecord>;
}

export function gatherRecords(): GatheredRecords {
  return { calls: gather(), requests: gather() };
}

/**
 * Makes the counts. With `counters`, all instances add to them: for platforms where nobody can ask a single instance.
 */
export function createMetricCounts(
  counters: Counters | undefined,
  gathered: GatheredRecords,
): MetricCounts {
  const touched: Series[] = [];
  const onTouch = counters && ((series: Series) => void touched.push(series));
  const calls = createSubjectSums(CALL_METRICS, onTouch);
  const lookups = createSubjectSums(LOOKUP_METRICS, onTouch);
  const requests = createSubjectSums(REQUEST_METRICS, onTouch);
  const service = createSubjectSums(SERVICE_METRICS, onTouch);
  const loads = createSubjectSums(LOAD_METRICS, onTouch);
  const copies = createSubjectSums(COPY_METRICS, onTouch);
  const captured = createSubjectSums(CAPTURE_METRICS, onTouch);
  const jobs = createSubjectSums(JOB_METRICS, onTouch);
  const webhooks = createSubjectSums(WEBHOOK_METRICS, onTouch);
  const named = new Map<string, number>();
  gathered.calls.each((record) => {
    const { model, version } = record;
    // A version is only known of a model that exists. Other names are made up by clients.
    if (version === undefined) return;
    calls.count(record, [model, version]);
    const { source } = record.lookup ?? {};
    if (source !== undefined) lookups.count(record, [model, version, source]);
  });
  gathered.requests.each((record) => {
    const { method, route = "", status } = record;
    const shown = METHODS.has(method) ? method : "_OTHER";
    requests.count(record, [shown, route, String(status)]);
    service.count(record, []);
  });

  function countGathered(): void {
    gathered.calls.count();
    gathered.requests.count();
  }

  /** Gives all changes to the counters. */
  function share(add: Add): void {
    countGathered();
    const groups = new Map<string, Map<string, number>>();
    for (const series of touched.splice(0)) {
      const [model, ...labels] = hasModel(series) ? series.labels : ["*", ...series.labels];
      const name = model ?? "*";
      let fields = groups.get(name);
      if (!fields) groups.set(name, (fields = new Map()));
      for (const [place, change] of takeChanges(series))
        fields.set([series.id, ...labels, place].join(BETWEEN), change);
    }
    for (const [model, fields] of groups) {
      add(groupOf(model), fields);
      noteModel(add, model);
    }
  }

  /** Notes once a day that the model counts. */
  function noteModel(add: Add, model: string): void {
    const day = Math.floor(Date.now() / 86_400_000);
    if (model === "*" || named.get(model) === day) return;
    if (named.size > 1000) named.clear();
    named.set(model, day);
    add(MODELS, new Map([[model, 1]]));
  }

  function own(): Series[] {
    countGathered();
    return [
      ...calls.all(),
      ...lookups.all(),
      ...requests.all(),
      ...service.all(),
      ...loads.all(),
      ...copies.all(),
      ...captured.all(),
      ...jobs.all(),
      ...webhooks.all(),
    ];
  }

  const shareSoon = counters && (() => counters.addSoon(share));
  return {
    ...(shareSoon && { call: shareSoon, request: shareSoon }),
    load(record) {
      loads.count(record, [record.model, record.version]);
      counters?.addSoon(share);
    },
    copy(record) {
      copies.count(record, [record.model, record.version]);
      counters?.addSoon(share);
    },
    capture(record) {
      captured.count(record, [record.model, record.version]);
      counters?.addSoon(share);
    },
    job(record) {
      jobs.count(record, [record.model, record.version]);
      counters?.addSoon(share);
    },
    webhook(record) {
      webhooks.count(record, [record.model, record.version]);
      counters?.addSoon(share);
    },
    series: async () => (counters ? readAll(counters) : own()),
    own,
  };
}

async function readAll(counters: Counters): Promise<Series[]> {
  const models = [...(await counters.read(MODELS)).keys()];
  const groups = await Promise.all(
    ["*", ...models].map(async (model) => seriesOf(model, await counters.read(groupOf(model)))),
  );
  return groups.flat();
}

function hasModel({ metric }: Series): boolean {
  return metric.labels[0] === "model";
}

function groupOf(model: string): Group {
  return { model, name: "metrics", keptSeconds: KEPT_SECONDS };
}

/** The series of a group's fields. Leaves out what another release of the code counts. */
function seriesOf(model: string, fields: ReadonlyMap<string, number>): Series[] {
  const all = new Map<string, Series>();
  for (const [field, value] of fields) {
    const parts = field.split(BETWEEN);
    const [id = "", ...labels] = parts.slice(0, -1);
    const metric = SUMMED[id];
    if (!metric) continue;
    const key = parts.slice(0, -1).join(BETWEEN);
    let series = all.get(key);
    if (!series) {
      const full = metric.labels[0] === "model" ? [model, ...labels] : labels;
      if (full.length !== metric.labels.length) continue;
      all.set(key, (series = createSeries(id, metric, full)));
    }
    const place = Number(parts.at(-1));
    if (place < series.values.length) series.values[place] = value;
  }
  return [...all.values()];
}
