import type { Scenario } from "../../cli/cost/bill.ts";
import type { Figures } from "../../cli/cost/figures.ts";
import { PATTERNS } from "../../cli/cost/patterns.ts";
import { PRICES } from "../../cli/cost/prices.ts";

/** Round figures, to count with by hand. */
export const FIGURES: Figures = {
  model: "made-up",
  version: "1",
  basis: "made up",
  files: { bytes: 2_000_000, count: 2 },
  answerBytes: 1000,
  logBytes: { access: 500, metrics: 700 },
  metrics: 8,
  lambda: { durationsMs: [1.2, 1.8, 2, 2.4], initMs: 120.4, firstMs: 79.1, peakMb: 200 },
  worker: { cpuMs: 3, firstCpuMs: 400, memoryBytes: 20_000_000 },
  server: { cpuMs: 0.5, residentMb: 300 },
};

export function scenario(changes: Partial<Scenario> = {}): Scenario {
  return {
    requests: 1e6,
    pattern: PATTERNS.steady,
    prices: PRICES,
    freeTier: false,
    logs: true,
    address: "http-api",
    instances: 1,
    ...changes,
  };
}
