import { billOf, type Bill, type Scenario } from "./bill.ts";
import type { Figures } from "./figures.ts";
import { lambdaLines } from "./lambda.ts";
import { PATTERNS } from "./patterns.ts";
import { PRICES } from "./prices.ts";
import { logLines, requestLines } from "./workers.ts";

/**
 * The month of a version that a Worker takes and a region answers: the Worker's request, the processor time for its checks
 * and for forwarding, and all of Lambda's. The answer leaves AWS once; from the Worker on it is free.
 * @param forwardMs Milliseconds of the Worker's processor time for a request that it forwards.
 */
export function spilledBill(figures: Figures, scenario: Scenario, forwardMs: number): Bill {
  return billOf("Cloudflare Workers, spilled to Lambda x86", scenario, {
    lines: [
      ...requestLines(scenario, scenario.requests * forwardMs),
      ...logLines(figures, scenario),
      ...lambdaLines(figures, scenario, "x86"),
    ],
    facts: [
      `processor time of the Worker: ${forwardMs.toFixed(2)} ms, what it takes for a small model with its run`,
    ],
  });
}

/** US dollars for a million further spilled requests: without the plan, what it includes, and other fixed parts. */
export function spilledPerMillion(figures: Figures, forwardMs: number): number {
  const total = (requests: number) =>
    spilledBill(
      figures,
      {
        requests,
        pattern: PATTERNS.steady,
        prices: PRICES,
        freeTier: false,
        logs: true,
        address: "http-api",
        instances: 1,
      },
      forwardMs,
    ).dollars;
  // Beyond what the plan includes.
  const many = 100e6;
  return total(many + 1e6) - total(many);
}
