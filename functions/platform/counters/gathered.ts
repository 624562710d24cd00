import { MOST_FIELDS, type Counters, type Group } from "../../observe/counters.ts";
import { createSums } from "../../observe/sums.ts";
import { within } from "../../within.ts";
import { startPatience } from "../patience.ts";
import type { Platform, Schedule } from "../types.ts";

/** What an instance adds to groups of one model, in one message. */
export interface Batch {
  /** The instance and the number of its batch. Numbers rise, so that a batch that is sent twice is added once. */
  instance: string;
  turn: number;
  model: string;
  groups: { name: string; keptSeconds: number; fields: ReadonlyMap<string, number> }[];
}

/** The place with the sums of all instances. */
export interface Place {
  /** Adds a batch, unless it has this batch or a later one of the instance already. */
  add(batch: Batch): Promise<void>;
  read(group: Group): Promise<Map<string, number>>;
}

interface Options {
  log: Platform["log"];
  schedule: Schedule;
  /** Whether one request must not wait for a message of another, as on Workers. */
  isolatesRequests?: boolean;
}

/** A schedule that is this late was lost: its request was ended early. */
const LOST_MS = 5000;
const PATIENCE_MS = 2000;
/** What could not be sent for so long is lost. */
const KEPT_MS = 3_000_000;
/** At most once in this time the log says that the place is out of reach. */
const REPORT_MS = 60_000;

/**
 * Gathers additions, and sends them to the place of all instances about once a second. Exact: a message without an
 * answer is sent again as it was, and the place knows it by its number.
 */
export function createGatheredCounters(place: Place, options: Options): Counters {
  const { log, schedule, isolatesRequests = false } = options;
  /** Made with the first batch: workerd gives no random values while it starts a Worker. */
  let instance: string | undefined;
  const gathered = createSums((lost) =>
    log({ level: "error", message: "counters: additions were lost", lost }),
  );
  /** By model, what was sent and not confirmed, and when it was made. */
  const unsent = new Map<string, { batch: Batch; madeAt: number }>();
  let turn = 0;
  let scheduledAt: number | undefined;
  let flight: Promise<void> | undefined;
  let reportAt = -Infinity;

  function report(error: unknown): void {
    if (performance.now() < reportAt) return;
    reportAt = performance.now() + REPORT_MS;
    const message = "counters out of reach: what is added waits in this instance";
    log({ level: "error", message, error: String(error) });
  }

  /** Places forget the numbers of batches after an hour. */
  function dropOld(): void {
    for (const [model, { batch, madeAt }] of unsent) {
      if (performance.now() - madeAt < KEPT_MS) continue;
      unsent.delete(model);
      const lost = batch.groups.reduce((sum, { fields }) => sum + fields.size, 0);
      log({ level: "error", message: "counters: additions were lost", lost });
    }
  }

  function makeBatches(): void {
    dropOld();
    let waiting = 0;
    for (const { batch } of unsent.values())
      for (const { fields } of batch.groups) waiting += fields.size;
    if (waiting >= MOST_FIELDS) return;
    const before = new Set(unsent.keys());
    for (const { group, fields } of gathered.take(({ model }) => !before.has(model))) {
      const { model, name, keptSeconds } = group;
      const { batch } = unsent.get(model) ?? begin(model);
      batch.groups.push({ name, keptSeconds, fields });
    }
  }

  function begin(model: string): { batch: Batch } {
    instance ??= crypto.randomUUID().slice(0, 13);
    const batch = { instance, turn: (turn += 1), model, groups: [] };
    const begun = { batch, madeAt: performance.now() };
    unsent.set(model, begun);
    return begun;
  }

  async function sendBatch(batch: Batch): Promise<void> {
    try {
      await within(place.add(batch), PATIENCE_MS, tooLate, startPatience);
      if (unsent.get(batch.model)?.batch === batch) unsent.delete(batch.model);
    } catch (error) {
      report(error);
    }
  }

  async function send(): Promise<void> {
    const hadUnsent = unsent.size > 0;
    makeBatches();
    await Promise.all([...unsent.values()].map(async ({ batch }) => sendBatch(batch)));
    // What waited behind a batch that is confirmed now.
    if (hadUnsent && unsent.size === 0) await send();
  }

  function sendSoon(): void {
    const now = performance.now();
    if (scheduledAt !== undefined && now - scheduledAt < LOST_MS) return;
    const isScheduled = schedule(async () => {
      scheduledAt = undefined;
      await flush();
      if (unsent.size > 0 && !isolatesRequests) sendSoon();
    });
    scheduledAt = isScheduled ? now : undefined;
  }

  async function flush(): Promise<void> {
    if (isolatesRequests) return send();
    // One message at a time: what was added since the last one began goes with the next.
    await flight;
    flight ??= send().finally(() => (flight = undefined));
    await flight;
  }

  return {
    add(group, fields) {
      gathered.add(group, fields);
      sendSoon();
    },
    addSoon(source) {
      if (gathered.addSoon(source)) sendSoon();
    },
    async read(group) {
      await flush();
      const sums = await within(place.read(group), PATIENCE_MS, tooLate, startPatience);
      const sent = unsent.get(group.model)?.batch.groups.find(({ name }) => name === group.name);
      for (const own of [sent?.fields, gathered.of(group)])
        for (const [field, value] of own ?? []) sums.set(field, (sums.get(field) ?? 0) + value);
      return sums;
    },
    flush,
  };
}

function tooLate(): never {
  throw new Error(`no answer within ${PATIENCE_MS} ms`);
}
