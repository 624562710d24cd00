import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Figures, WorkerFigures } from "./figures.ts";

/** What requests took in one process, without a platform around it. */
export interface InProcess {
  firstMs: number;
  firstCpuMs: number;
  cpuMs: number;
  meanMs: number;
}

/** The figures of a version as the bench measured them on each platform. */
export interface Recorded extends Omit<Figures, "basis"> {
  worker: WorkerFigures;
  /** Of the artifact: another one has other figures. */
  digest: string;
  inProcess: { native: InProcess; wasm: InProcess };
}

/** What `npm run bench -- --only cost` writes. */
export interface Recording {
  date: string;
  machine: string;
  node: string;
  models: Recorded[];
}

export const RECORDED_FILE = join(import.meta.dirname, "recorded.json");

export async function readRecording(): Promise<Recording> {
  return JSON.parse(await readFile(RECORDED_FILE, "utf8")) as Recording;
}
