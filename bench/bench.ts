// `npm run bench` measures what the service costs on this machine, and what the least code for the same work costs. Each
// part writes a report of its own. `-- --only service`, or another of PARTS, measures one part.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setup as build } from "../test/harness/build.ts";
import { compileRic } from "../cli/local/ric.ts";
import { batches } from "./batches.ts";
import { buildBare, type Bare } from "./bare/build.ts";
import { COLD_ROUNDS, coldTables, startCold } from "./cold.ts";
import { costs } from "./costs.ts";
import { health } from "./health.ts";
import { imageTables, startImages } from "./images.ts";
import { metricsTables, startMetrics } from "./metrics.ts";
import { OVERHEAD_ROUNDS, overheadTables, startOverhead } from "./overhead.ts";
import { overload } from "./overload.ts";
import { parallelTables, startParallel } from "./parallel.ts";
import { pinning } from "./processes.ts";
import { ONE_CORE_EACH, writeReport, type Table } from "./report.ts";
import { quickTables, QUICK_ROUNDS, startQuick } from "./quick.ts";
import { FEATURES_ROUNDS, featuresTables, startFeatures } from "./features.ts";
import { rollout } from "./rollout.ts";
import { inRounds, ROUNDS, type Measure } from "./rounds.ts";
import { startService } from "./service.ts";
import { soak } from "./soak.ts";
import type { Record } from "./statistics.ts";
import { spilloverTables, startSpillover } from "./spillover.ts";
import { startStores, storeTables } from "./store-size.ts";
import { benchTables } from "./tables.ts";
import { startTensors, tensorTables } from "./tensors.ts";
import { wasm } from "./wasm.ts";

const SHARED = "all processes share the cores";

/** Asked for by its name alone: the ratios of the other parts in four minutes. */
const QUICK = "quick";

const PARTS: { [name: string]: (bare: Bare) => Promise<void> } = {
  [QUICK]: (bare) => rounds(QUICK, startQuick(bare), quickTables, ONE_CORE_EACH, QUICK_ROUNDS),
  service: (bare) =>
    rounds("service", startService(bare), benchTables, `${ONE_CORE_EACH}; cold starts on any`),
  cold: (bare) => rounds("cold", startCold(bare), coldTables, SHARED, COLD_ROUNDS),
  cost: costs,
  tensors: (bare) => rounds("tensors", startTensors(bare), tensorTables, ONE_CORE_EACH),
  store: () => rounds("store", startStores(), storeTables, `${ONE_CORE_EACH}; cold starts on any`),
  parallel: () => rounds("parallel", startParallel(), parallelTables, SHARED),
  metrics: () => rounds("metrics", startMetrics(), metricsTables, "one process"),
  overhead: () =>
    rounds("overhead", startOverhead(), overheadTables, ONE_CORE_EACH, OVERHEAD_ROUNDS),
  features: () =>
    rounds("features", startFeatures(), featuresTables, ONE_CORE_EACH, FEATURES_ROUNDS),
  spillover: () => rounds("spillover", startSpillover(), spilloverTables, ONE_CORE_EACH),
  images: () => rounds("images", startImages(), imageTables, "one process"),
  wasm: async () => writeReport("wasm", await wasm(), { rounds: 1, cores: "one process" }),
  overload: async () =>
    writeReport("overload", await overload(), {
      rounds: 1,
      cores: pinning ? `WORKERS=0: ${ONE_CORE_EACH}; WORKERS=2: ${SHARED}` : SHARED,
    }),
  batches: async () => writeReport("batches", await batches(), { rounds: 1, cores: SHARED }),
  rollout: async () => writeReport("rollout", rollout(), { rounds: 1, cores: "one process" }),
  health: async () => writeReport("health", await health(), { rounds: 1, cores: ONE_CORE_EACH }),
  soak: async () =>
    writeReport(costly ? "soak-costly" : "soak", await soak({ requests, costly }), {
      rounds: 1,
      cores: SHARED,
    }),
};

const options = parseArgs({
  options: {
    only: { type: "string" },
    costly: { type: "boolean", default: false },
    requests: { type: "string", default: "200000" },
  },
}).values;
const { only, costly } = options;
const requests = Number(options.requests);
if (only !== undefined && !Object.hasOwn(PARTS, only))
  throw new Error(`--only takes: ${Object.keys(PARTS).join(", ")}`);
process.chdir(join(import.meta.dirname, ".."));
await Promise.all([build(), compileRic()]);
const bare = await buildBare();
for (const [name, part] of Object.entries(PARTS))
  if (only === undefined ? name !== QUICK : only === name) {
    const start = performance.now();
    await part(bare);
    console.error(`${name}: ${((performance.now() - start) / 60_000).toFixed(1)} minutes`);
  }

interface Part {
  measure: Measure;
  stop: () => Promise<unknown>;
  /** Called when all rounds are over. */
  end?: (record: Record) => Promise<void>;
}

async function rounds(
  name: string,
  starting: Promise<Part>,
  tables: (record: Record) => Table[] | Promise<Table[]>,
  cores: string,
  count = ROUNDS,
): Promise<void> {
  const part = await starting;
  const record = await (async () => {
    const measured = await inRounds(part.measure, count);
    await part.end?.(measured);
    return measured;
  })().finally(() => part.stop());
  await writeReport(name, await tables(record), { rounds: count, cores });
}
