// Runs in its own process, so that it measures only one model:
//   node --expose-gc cli/measure.ts <models> <name> <version> <native|wasm>...
// loads the version, runs its examples, and prints one line of JSON: a Measurement for each runtime.
// Native runs before WASM, because WASM's memory would count as native's. Native's does not count as WASM's.
import { readExamples } from "./examples/files.ts";
import { describeFailure } from "./failure.ts";
import { openPackage, type LocalPackage } from "./package-folder.ts";
import { openPredictor, type RuntimeName } from "./predictor.ts";
import { measureSession, residentNow } from "./session-memory.ts";

/** What loading a version and running its examples took. */
export interface Measurement {
  /** Start of ONNX Runtime and creation of the session, files read. */
  coldLoadMs: number;
  /** Creation of one more session, files read. */
  createMs: number;
  /** WASM memory after the runs; 0 on native. */
  wasmBytes: number;
  /** What one session holds; 0 on WASM, which has a bound of its own. */
  sessionBytes: number;
  /** The most memory that the process has used. */
  residentBytes: number;
  /** How much of it was for the first load and the examples. */
  peakBytes: number;
  answers: unknown[];
}

const [models = "", name = "", version = "", ...runtimes] = process.argv.slice(2);
try {
  process.stdout.write(JSON.stringify(await measureAll()));
} catch (error) {
  process.stderr.write(describeFailure(error));
  process.exitCode = 1;
}

async function measureAll(): Promise<Measurement[]> {
  const local = await openPackage(models, { name, version });
  const examples = await readExamples(local, { undeclared: true });
  const inputs = examples.map(({ input }) => input);
  const measurements: Measurement[] = [];
  for (const runtime of runtimes)
    measurements.push(await measure(local, inputs, runtime as RuntimeName));
  return measurements;
}

type Inputs = readonly unknown[];

async function measure(
  local: LocalPackage,
  inputs: Inputs,
  runtime: RuntimeName,
): Promise<Measurement> {
  const before = residentNow();
  const { predictor, answers, loadMs: coldLoadMs } = await runExamples(local, inputs, runtime);
  const wasmBytes = await predictor.memoryBytes();
  const residentBytes = process.resourceUsage().maxRSS * 1024;
  const again =
    runtime === "native"
      ? await measureSession(local)
      : { sessionBytes: 0, createMs: (await runExamples(local, inputs, runtime)).loadMs };
  const peakBytes = Math.max(0, residentBytes - before);
  return { coldLoadMs, ...again, wasmBytes, residentBytes, peakBytes, answers };
}

async function runExamples(local: LocalPackage, inputs: Inputs, runtime: RuntimeName) {
  const predictor = await openPredictor(local, runtime);
  await predictor.start();
  const answers: unknown[] = [];
  let loadMs: number | undefined;
  for (const input of inputs) {
    answers.push(await predictor.predict(input));
    loadMs ??= predictor.loadMilliseconds();
  }
  return { predictor, answers, loadMs: loadMs ?? 0 };
}
