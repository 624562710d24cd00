import type { Deadline } from "../load/deadline.ts";
import { NearcastError } from "../errors.ts";
import type { Manifest } from "../model/manifest.ts";
import type { ModelVersion } from "../model/registry.ts";
import type { Phases } from "../observe/phases.ts";
import type { PathOf } from "../tasks/define.ts";
import { readRows, type Asked } from "./asked.ts";
import { keysOf } from "./entity.ts";
import { complete, type Completed } from "./complete.ts";
import { createKeptEntities } from "./kept.ts";
import { entityOf, planOf, type Entity, type Plan } from "./plan.ts";
import { readInTime } from "./read-in-time.ts";
import type { FeatureSource } from "./source.ts";
import type { LookupTally } from "./tally.ts";

/** The call for which features are looked up. */
export interface LookUpCall {
  deadline: Deadline;
  phases: Phases;
  tally: LookupTally;
}

/**
 * Completes the inputs of a call with the features that its version looks up: with one read of the source for all of
 * them, and none where nothing is missing or all was read a moment ago. Throws or rejects with `invalid_input` for wrong
 * keys and for features that are not known, `features_unavailable` or `features_late` for a source that does not
 * answer, `features_invalid` for a value of the wrong type.
 */
export type LookUp = (
  version: ModelVersion,
  rows: readonly unknown[],
  pathOf: PathOf,
  call: LookUpCall,
) => Completed | Promise<Completed>;

interface LookUpServices {
  sourceOf: (name: string) => FeatureSource | undefined;
  log: (entry: Record<string, unknown>) => void;
}

export function createLookUp({ sourceOf, log }: LookUpServices): LookUp {
  const plans = new WeakMap<Manifest, Plan>();
  const kept = createKeptEntities();
  /** Sources that have given rows at once. */
  const inMemory = new WeakSet<FeatureSource>();

  function planFor(version: ModelVersion): Plan {
    let plan = plans.get(version.manifest);
    if (!plan) plans.set(version.manifest, (plan = planOf(version)));
    return plan;
  }

  /** What is known of each entity without a read. */
  function keptOf({ cacheSeconds, prefix }: Plan, { ids }: Asked): (Entity | undefined)[] {
    return ids.map((id) => (cacheSeconds > 0 ? kept.get(prefix + id, cacheSeconds) : undefined));
  }

  /** Reads the entities that are not known yet. Gives the failure where they could not be read. */
  function read(
    plan: Plan,
    { ids, samples }: Asked,
    entities: (Entity | undefined)[],
    { deadline, phases, tally }: LookUpCall,
  ): NearcastError | undefined | Promise<NearcastError | undefined> {
    const { lookup, names, prefix, cacheSeconds } = plan;
    const source = sourceOf(lookup.source);
    if (!source) throw unknownSource(lookup.source);
    const places: number[] = [];
    for (let place = 0; place < ids.length; place++) if (!entities[place]) places.push(place);
    const wanted = places.map((place) => keysOf(samples[place] ?? {}, lookup.keys));
    tally.reads += 1;
    const work = () => readInTime(source, wanted, names, { lookup, deadline });
    // To note a phase takes 3 % of a prediction, which is more than to read memory.
    const reading = inMemory.has(source) ? work() : phases.time("features", work);
    if (reading instanceof Promise) return reading.then(take);
    inMemory.add(source);
    return take(reading);

    function take(rows: Awaited<typeof reading>): NearcastError | undefined {
      if ("failed" in rows) {
        tally.failures += 1;
        const { cause, message: error } = rows.failed;
        const message = "features: a source does not answer";
        const why = cause instanceof Error ? String(cause) : error;
        log({ level: "error", message, source: lookup.source, error: why });
        return rows.failed;
      }
      const now = Date.now();
      for (let at = 0; at < places.length; at++) {
        const place = places[at] as number;
        const entity = entityOf(plan, rows[at], now);
        entities[place] = entity;
        if (cacheSeconds > 0) kept.set(prefix + ids[place], entity);
      }
      return undefined;
    }
  }

  return function lookUp(version, rows, pathOf, call) {
    const plan = planFor(version);
    const asked = readRows(plan, rows, pathOf);
    const entities = keptOf(plan, asked);
    const finish = (failed?: NearcastError) =>
      complete(plan, asked, entities, { pathOf, tally: call.tally, failed });
    if (!entities.includes(undefined)) return finish();
    const failed = read(plan, asked, entities, call);
    return failed instanceof Promise ? failed.then(finish) : finish(failed);
  };
}

function unknownSource(name: string): NearcastError {
  return new NearcastError(
    "features_unavailable",
    `The deployment has no source of features named ${name}: FEATURE_SOURCES says where it is.`,
  );
}
