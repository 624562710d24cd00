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
import { entityOf, planOf, type Plan } from "./plan.ts";
import { readInTime, type Failed } from "./read-in-time.ts";
import type { FeatureSource } from "./source.ts";

/** The call for which features are looked up. */
export interface LookUpCall {
  deadline: Deadline;
  phases: Phases;
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

const CACHE_SECONDS = 5;

export function createLookUp({ sourceOf, log }: LookUpServices): LookUp {
  const plans = new WeakMap<Manifest, Plan>();
  const kept = createKeptEntities();

  function planFor({ manifest, limits }: ModelVersion): Plan {
    let plan = plans.get(manifest);
    if (!plan) plans.set(manifest, (plan = planOf(manifest, limits)));
    return plan;
  }

  /** Reads the entities of these inputs. Gives the failure where they could not be read. */
  async function read(
    plan: Plan,
    unread: ReadonlyMap<string, Asked[]>,
    { deadline, phases }: LookUpCall,
  ): Promise<Failed | undefined> {
    const { lookup, names, prefix } = plan;
    const source = sourceOf(lookup.source);
    if (!source) throw unknownSource(lookup.source);
    const entities = [...unread.values()].map(([asked]) =>
      keysOf(asked?.row as Record<string, unknown>, lookup.keys),
    );
    const rows = await phases.time("features", () =>
      readInTime(source, entities, names, { lookup, deadline }),
    );
    if ("failed" in rows) {
      const { cause, message: error } = rows.failed;
      const message = "features: a source does not answer";
      const why = cause instanceof Error ? String(cause) : error;
      log({ level: "error", message, source: lookup.source, error: why });
      return rows;
    }
    const keeps = (lookup.cacheSeconds ?? CACHE_SECONDS) > 0;
    let place = 0;
    for (const [id, all] of unread) {
      const entity = entityOf(plan, rows[place++]);
      for (const asked of all) asked.entity = entity;
      if (keeps) kept.set(prefix + id, entity);
    }
    return undefined;
  }

  return function lookUp(version, rows, pathOf, call) {
    const plan = planFor(version);
    const { cacheSeconds = CACHE_SECONDS } = plan.lookup;
    const unread = new Map<string, Asked[]>();
    const all = readRows(plan, rows, pathOf);
    for (const asked of all) {
      const { id } = asked;
      if (id === undefined) continue;
      if (cacheSeconds > 0) asked.entity = kept.get(plan.prefix + id, cacheSeconds);
      if (asked.entity) continue;
      const others = unread.get(id);
      if (others) others.push(asked);
      else unread.set(id, [asked]);
    }
    if (unread.size === 0) return complete(plan, all, pathOf);
    return read(plan, unread, call).then((failed) => complete(plan, all, pathOf, failed?.failed));
  };
}

function unknownSource(name: string): NearcastError {
  return new NearcastError(
    "features_unavailable",
    `The deployment has no source of features named ${name}: FEATURE_SOURCES says where it is.`,
  );
}
