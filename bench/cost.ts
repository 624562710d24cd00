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
  /** The date of the prices. */
  read: string;
  memoryMb: number;
  /** Lambda bills each request by itself, rounded up to a millisecond. */
  lambda: (warm: number) => number;
  /** One request in a hundred is cold. It is billed from the start of the process to its answer. */
  lambdaWithCold: (warm: number, cold: number) => number;
  /** Workers bill processor time. Waiting is free. */
  workers: (cpu: number) => number;
}

const MILLION = 1e6;
const COLD_SHARE = 0.01;

/** The costs at the published prices in `prices.json`. */
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
