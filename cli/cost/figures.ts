/** What one prediction of a version takes on each platform, as measured. */
export interface Figures {
  model: string;
  version: string;
  /** Where and when it was measured. */
  basis: string;
  /** The bytes and the number of the files that a function loads. */
  files: { bytes: number; count: number };
  /** Bytes of an answer, header fields included. */
  answerBytes: number;
  /** Bytes of a request's lines in the log: the access log, and on Lambda its metrics. */
  logBytes: { access: number; metrics: number };
  /** Metrics that CloudWatch makes of the log. */
  metrics: number;
  lambda: LambdaFigures;
  /** Undefined for a version that does not run on WASM. */
  worker: WorkerFigures | undefined;
  server: ServerFigures;
}

export interface LambdaFigures {
  /** Milliseconds of warm invocations: evenly spaced quantiles. */
  durationsMs: readonly number[];
  /** From the start of a process to its first event, and from there to its first answer. */
  initMs: number;
  firstMs: number;
  /** The most memory of the process, in MiB. */
  peakMb: number;
}

export interface WorkerFigures {
  /** Milliseconds of processor time for a request, and for the first one of an isolate. */
  cpuMs: number;
  firstCpuMs: number;
  /** WASM memory after the runs, with the files while they load. */
  memoryBytes: number;
}

export interface ServerFigures {
  /** Milliseconds of processor time for a request, of many at once. */
  cpuMs: number;
  /** Resident memory in MiB. */
  residentMb: number;
}

/** How many quantiles stand for the durations. */
const QUANTILES = 20;

/** Evenly spaced quantiles of the values, so that their mean is about that of all. */
export function quantilesOf(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return Array.from({ length: QUANTILES }, (_, index) => {
    const place = Math.floor(((index + 0.5) / QUANTILES) * sorted.length);
    return Number((sorted[place] ?? NaN).toFixed(3));
  });
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
