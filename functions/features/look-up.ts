import type { Deadline } from "../load/deadline.ts";
import { NearcastError } from "../errors.ts";
import type { Manifest } from "../model/manifest.ts";
import type { ModelVersion } from "../model/registry.ts";
import type { Phases } from "../observe/phases.ts";
import type { PathOf } from "../tasks/define.ts";
import { readRows } from "./asked.ts";
import { complete, type Completed } from "./complete.ts";
import { createKeptRows } from "./kept.ts";
import { planOf, type Plan } from "./plan.ts";
import { readInTime, type Failed } from "./read-in-time.ts";
import type { EntityKeys, FeatureRow, FeatureSource } from "./source.ts";

/** The call for which features are looked up. */
export interface LookUpCall {
  deadline: Deadline;
  phases: Phases;
}

/**
 * Completes the inputs of a call with the features that its version looks up: with one read of the source for all of
 * them, and none where nothing is missing or all was read a moment ago. Throws or rejects with `invalid_input` for wrong
 * keys and for features that are not known, `features_unavailable` or `deadline_exceeded` for a source that does not
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
  const kept = createKeptRows();

  function planFor({ manifest, limits }: ModelVersion): Plan {
    let plan = plans.get(manifest);
    if (!plan) plans.set(manifest, (plan = planOf(manifest, limits)));
    return plan;
  }

  async function read(
    { lookup, names, prefix }: Plan,
    entities: ReadonlyMap<string, EntityKeys>,
    known: Map<string, FeatureRow>,
    { deadline, phases }: LookUpCall,
  ): Promise<Failed | undefined> {
    const source = sourceOf(lookup.source);
    if (!source) throw unknownSource(lookup.source);
    const ids = [...entities.keys()];
    const rows = await phases.time("features", () =>
      readInTime(source, [...entities.values()], names, { lookup, deadline }),
    );
    if ("failed" in rows) {
      const { cause, message: error } = rows.failed;
      const message = "features: a source does not answer";
      const why = cause instanceof Error ? String(cause) : error;
      log({ level: "error", message, source: lookup.source, error: why });
      return rows;
    }
    const keeps = (lookup.cacheSeconds ?? CACHE_SECONDS) > 0;
    for (const [index, id] of ids.entries()) {
      const row = rows[index] as FeatureRow;
      known.set(id, row);
      if (keeps) kept.set(prefix + id, row);
    }
    return undefined;
  }

  return function lookUp(version, rows, pathOf, call) {
    const plan = planFor(version);
    const { cacheSeconds = CACHE_SECONDS } = plan.lookup;
    const known = new Map<string, FeatureRow>();
    const unread = new Map<string, EntityKeys>();
    const asked = readRows(plan, rows, pathOf);
    for (const { id, keys } of asked) {
      if (id === undefined || keys === undefined || known.has(id)) continue;
      const row = cacheSeconds > 0 ? kept.get(plan.prefix + id, cacheSeconds) : undefined;
      if (row) known.set(id, row);
      else unread.set(id, keys);
    }
    if (unread.size === 0) return complete(plan, asked, known, pathOf);
    return read(plan, unread, known, call).then((failed) =>
      complete(plan, asked, known, pathOf, failed?.failed),
    );
  };
}

function unknownSource(name: string): NearcastError {
  return new NearcastError(
    "features_unavailable",
    `The deployment has no source of features named ${name}: FEATURE_SOURCES says where it is.`,
  );
}
