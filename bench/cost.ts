import { readFile } from "node:fs/promises";

interface Prices {
  read: string;
  lambda: {
    perMillionRequests: number;
    perGbSecond: number;
    billedMs: number;
    memoryMb: number;
  };
  workers: { perMillionRequests: number; perMillionCpuMs: number };
}

/** US dollars for a million predictions, from durations in milliseconds. */
export interface Costs {
  /** When the prices were read. */
  read: string;
  memoryMb: number;
  /** Lambda, each request billed by itself, rounded up to the billed millisecond. */
  lambda: (warm: number) => number;
  /** One request in a hundred is cold, and billed from the start of the process to its answer. */
  lambdaWithCold: (warm: number, cold: number) => number;
  /** Workers bill processor time; waiting costs nothing. */
  workers: (cpu: number) => number;
}

const MILLION = 1e6;
const COLD_SHARE = 0.01;

/** Costs at the published prices of `prices.json`. */
export async function readCosts(): Promise<Costs> {
  const file = new URL("prices.json", import.meta.url);
  const { read, lambda, workers } = JSON.parse(await readFile(file, "utf8")) as Prices;
  const dollarsPerMs = (lambda.memoryMb / 1024) * (lambda.perGbSecond / 1000);
  const cost = (milliseconds: number): number =>
    lambda.perMillionRequests +
    MILLION * Math.ceil(milliseconds / lambda.billedMs) * lambda.billedMs * dollarsPerMs;
  return {
    read,
    memoryMb: lambda.memoryMb,
    lambda: cost,
    lambdaWithCold: (warm, cold) => (1 - COLD_SHARE) * cost(warm) + COLD_SHARE * cost(cold),
    workers: (cpu) => workers.perMillionRequests + cpu * workers.perMillionCpuMs,
  };
}
