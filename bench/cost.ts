import { charge } from "../cli/cost/price.ts";
import { LAMBDA_MB } from "../cli/cost/lambda.ts";
import { PRICES } from "../cli/cost/prices.ts";

const MILLION = 1e6;
const COLD_SHARE = 0.01;

/** US dollars for a million predictions on Lambda, which bills each by itself in started milliseconds. */
export function lambdaCost(milliseconds: number): number {
  const seconds = (MILLION * Math.ceil(milliseconds)) / 1000;
  return (
    charge(PRICES["lambda-requests"], MILLION) +
    charge(PRICES["lambda-x86"], (seconds * LAMBDA_MB) / 1024)
  );
}

/** One request in a hundred is cold. It is billed from the start of the process to its answer. */
export function lambdaCostWithCold(warm: number, cold: number): number {
  return (1 - COLD_SHARE) * lambdaCost(warm) + COLD_SHARE * lambdaCost(cold);
}

/** The same on Workers, beyond what the plan includes: they bill processor time, and waiting is free. */
export function workersCost(cpuMilliseconds: number): number {
  const { "workers-requests": requests, "workers-cpu": cpu } = PRICES;
  return requests.dollars + cpuMilliseconds * cpu.dollars;
}
