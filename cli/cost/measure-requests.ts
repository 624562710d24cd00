// Runs in its own process, so that it measures only one model on one runtime:
//   node cli/cost/measure-requests.ts <models> <name> <version> <native|wasm>
// asks the app for the version's examples, without a network, and prints one line of JSON: a RequestMeasurement.
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { readExamples } from "../examples/files.ts";
import { describeFailure } from "../failure.ts";
import { openPackage } from "../package-folder.ts";
import { SESSION_BUDGET_MB, withRelease } from "../predictor.ts";
import { loadProject } from "../project.ts";
import { mean, quantilesOf } from "./figures.ts";

/** What requests took in one process. */
export interface RequestMeasurement {
  /** The first request, which loads the model: milliseconds, and those of processor time. */
  firstMs: number;
  firstCpuMs: number;
  /** Quantiles of later ones, and the mean of their processor time. */
  durationsMs: number[];
  cpuMs: number;
  /** Header fields included. */
  answerBytes: number;
  accessLogBytes: number;
  residentMb: number;
  /** 0 on native. */
  wasmBytes: number;
}

/** Warm requests until V8 has compiled what it compiles, and those that count. Slow models are asked less often. */
const WARM_UP_MS = 700;
const COUNTED_MS = 1500;
const FEWEST = 5;

const [models = "", name = "", version = "", runtime = ""] = process.argv.slice(2);
try {
  process.stdout.write(JSON.stringify(await measure()));
} catch (error) {
  process.stderr.write(describeFailure(error));
  process.exitCode = 1;
}

async function measure(): Promise<RequestMeasurement> {
  const examples = await readExamples(await openPackage(models, { name, version }));
  const bodies = examples.map(({ input }) => JSON.stringify({ inputs: input }));
  if (bodies.length === 0) throw new Error("it has no examples to ask for");
  let logged = 0;
  const node = createNodePlatform({
    STORE: models,
    RUNTIME: runtime,
    SESSION_BUDGET_MB: String(SESSION_BUDGET_MB),
    // Examples may send keys.
    FEATURE_SOURCES: process.env["FEATURE_SOURCES"],
  });
  const platform = {
    ...node,
    store: withRelease(node.store, name, version),
    log: (entry: object) => void (logged += Buffer.byteLength(JSON.stringify(entry)) + 1),
  };
  const options = await loadProject();
  const app = createApp(createService(platform, options), options);
  await platform.runtime();

  async function ask(turn: number): Promise<number> {
    const answer = await app.request(`/v1/models/${name}/versions/${version}/predict`, {
      method: "POST",
      headers: { "content-type": "application/json", "cache-control": "no-store" },
      body: bodies[turn % bodies.length] ?? "",
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`an example was answered with ${answer.status}: ${text}`);
    const fields = [...answer.headers].map(([field, value]) => `${field}: ${value}\r\n`);
    return Buffer.byteLength(fields.join("") + text);
  }

  /** Asks for this long, one request after the other, and gives the milliseconds of each. */
  async function askFor(milliseconds: number, onAnswer?: (bytes: number) => void) {
    const taken: number[] = [];
    const start = performance.now();
    while (taken.length < FEWEST || performance.now() - start < milliseconds) {
      const begun = performance.now();
      const bytes = await ask(taken.length);
      taken.push(performance.now() - begun);
      onAnswer?.(bytes);
    }
    return taken;
  }

  const beforeFirst = process.cpuUsage();
  const begun = performance.now();
  await ask(0);
  const firstMs = performance.now() - begun;
  const firstCpuMs = cpuMsSince(beforeFirst);
  await askFor(WARM_UP_MS);
  logged = 0;
  const before = process.cpuUsage();
  const answers: number[] = [];
  const taken = await askFor(COUNTED_MS, (bytes) => answers.push(bytes));
  return {
    firstMs,
    firstCpuMs,
    durationsMs: quantilesOf(taken),
    cpuMs: cpuMsSince(before) / taken.length,
    answerBytes: Math.ceil(mean(answers)),
    accessLogBytes: Math.ceil(logged / taken.length),
    residentMb: Math.ceil(process.resourceUsage().maxRSS / 1024),
    wasmBytes: (await platform.runtime()).memoryBytes?.() ?? 0,
  };
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
