import { packageBytes } from "../fit.ts";
import type { LocalPackage } from "../package-folder.ts";
import { servedFiles, type Manifest } from "../../functions/model/manifest.ts";
import { mean, type Figures, type WorkerFigures } from "./figures.ts";
import { measureRequests } from "./measured.ts";
import type { RequestMeasurement } from "./measure-requests.ts";
import { readRecording, type Recorded, type Recording } from "./recorded.ts";

/** The small model by which other models' own part is told from that of the platform. */
const SMALL = "iris";

export interface FigureOptions {
  /** Measures on this machine also what the bench has recorded. */
  measure: boolean;
  /** Leaves out what a Worker takes, which another process would measure. */
  withoutWorker?: boolean;
}

/**
 * What a prediction of the version takes: as the bench recorded it for this artifact, or measured now in processes of this
 * machine. Then what each platform adds is taken from the recorded small model.
 */
export async function figuresOf(
  local: LocalPackage,
  { measure, withoutWorker = false }: FigureOptions,
): Promise<Figures> {
  const { manifest } = local;
  const recording = await readRecording();
  const found = measure ? undefined : recorded(recording, manifest);
  if (found) {
    const { digest: _digest, inProcess: _inProcess, ...figures } = found;
    return { ...figures, basis: `recorded by the bench, ${whenAndWhere(recording)}` };
  }
  const small = smallOf(recording);
  const native = await measureRequests(local, "native");
  const wasm = withoutWorker ? undefined : await measureOnWasm(local);
  return {
    model: manifest.name,
    version: manifest.version,
    basis: `measured here now; what each platform adds: of ${SMALL}, ${whenAndWhere(recording)}`,
    files: { bytes: packageBytes(manifest), count: servedFiles(manifest).length },
    answerBytes: native.answerBytes,
    logBytes: { access: native.accessLogBytes, metrics: small.logBytes.metrics },
    metrics: small.metrics,
    lambda: lambdaFigures(native, small),
    worker: wasm && workerFigures(wasm, small, packageBytes(manifest)),
    server: {
      cpuMs: added(native.cpuMs, small.server.cpuMs - small.inProcess.native.cpuMs),
      residentMb: native.residentMb,
    },
  };
}

/** Undefined for a version that does not run there, which is said. */
function measureOnWasm(local: LocalPackage): Promise<RequestMeasurement | undefined> {
  return measureRequests(local, "wasm").catch((error: Error) => {
    process.stderr.write(`${error.message}\nWithout WASM there is no price on Workers.\n`);
    return undefined;
  });
}

/** Milliseconds of a Worker's processor time for a request that it checks and forwards: at most that of a small model. */
export async function forwardMs(): Promise<number> {
  return smallOf(await readRecording()).worker.cpuMs;
}

function lambdaFigures(native: RequestMeasurement, small: Recorded): Figures["lambda"] {
  const { lambda, inProcess } = small;
  const around = mean(lambda.durationsMs) - inProcess.native.meanMs;
  return {
    durationsMs: native.durationsMs.map((ms) => added(ms, around)),
    initMs: lambda.initMs,
    firstMs: added(native.firstMs, lambda.firstMs - inProcess.native.firstMs),
    peakMb: native.residentMb,
  };
}

function workerFigures(wasm: RequestMeasurement, small: Recorded, bytes: number): WorkerFigures {
  const { worker } = small;
  const inProcess = small.inProcess.wasm;
  return {
    cpuMs: added(wasm.cpuMs, worker.cpuMs - inProcess.cpuMs),
    firstCpuMs: added(wasm.firstCpuMs, worker.firstCpuMs - inProcess.firstCpuMs),
    memoryBytes: wasm.wasmBytes + bytes,
  };
}

/** A platform never makes a request cheaper: where it seems so, the two were measured on machines of different speed. */
function added(own: number, around: number): number {
  return own + Math.max(0, around);
}

function recorded({ models }: Recording, { name, version, artifact }: Manifest) {
  return models.find(
    (one) => one.model === name && one.version === version && one.digest === artifact.sha256,
  );
}

function smallOf({ models }: Recording): Recorded {
  const small = models.find(({ model }) => model === SMALL);
  if (!small) throw new Error(`The recorded bench has no ${SMALL}.`);
  return small;
}

function whenAndWhere({ date, machine, node }: Recording): string {
  return `${date}, ${machine}, Node ${node}`;
}
