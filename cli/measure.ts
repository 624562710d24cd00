// Runs in a process of its own, so that what it measures is one model's alone:
//   node cli/measure.ts <models> <name> <version> <native|wasm>
// loads the version, runs its examples, and prints one line of JSON (a Measurement).
import { openPackage } from "./package-folder.ts";
import { openPredictor, type RuntimeName } from "./predictor.ts";

/** What loading a version and running its examples took. */
export interface Measurement {
  /** Start of ONNX Runtime and creation of the session. */
  loadMs: number;
  /** WASM memory after the runs; 0 on native. */
  wasmBytes: number;
  /** Most memory that the process has had. */
  residentBytes: number;
  answers: unknown[];
}

const [models = "", name = "", version = "", runtime = ""] = process.argv.slice(2);
const { manifest, ...rest } = await openPackage(models, { name, version });
const predictor = openPredictor({ manifest, ...rest }, runtime as RuntimeName);
const answers: unknown[] = [];
let loadMs = 0;
for (const { input } of manifest.examples) {
  answers.push(await predictor.predict(input));
  loadMs ||= predictor.durations.get("load") ?? 0;
}
const measurement: Measurement = {
  loadMs,
  wasmBytes: await predictor.memoryBytes(),
  residentBytes: process.resourceUsage().maxRSS * 1024,
  answers,
};
process.stdout.write(JSON.stringify(measurement));
