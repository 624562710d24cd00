import type { Bill, Scenario } from "./bill.ts";
import { breakEven } from "./break-even.ts";
import { cloudRunBill, fargateBill } from "./containers.ts";
import type { Figures } from "./figures.ts";
import { lambdaBill } from "./lambda.ts";
import { spilledBill } from "./spilled.ts";
import { workersBill } from "./workers.ts";

type BillAt = (scenario: Scenario) => Bill;

export interface Comparison {
  /** Paid by the request, then always on. */
  bills: Bill[];
  breakEvens: BreakEven[];
}

/** From so many requests a month on, the first is dearer than the second. */
export interface BreakEven {
  functions: string;
  container: string;
  /** Undefined if that never happens. */
  requests: number | undefined;
}

/** The bills of a month on each platform, and where functions become dearer than containers that are always on. */
export function compareCosts(figures: Figures, scenario: Scenario, forwardMs: number): Comparison {
  const functions = functionsOf(figures, scenario, forwardMs);
  const containers: BillAt[] = [
    (at) => fargateBill(figures, at),
    (at) => cloudRunBill(figures, at),
  ];
  const usable = (billAt: BillAt) => billAt(scenario).problem === undefined;
  const dollars = (billAt: BillAt) => (requests: number) =>
    billAt({ ...scenario, requests }).dollars;
  return {
    bills: [...functions, ...containers].map((billAt) => billAt(scenario)),
    breakEvens: functions.filter(usable).flatMap((first) =>
      containers.filter(usable).map((second) => ({
        functions: first(scenario).platform,
        container: second(scenario).platform,
        requests: breakEven(dollars(first), dollars(second)),
      })),
    ),
  };
}

/** What does not fit a Worker spills to a region: that has a price of its own. */
function functionsOf(figures: Figures, scenario: Scenario, forwardMs: number): BillAt[] {
  const onWorkers: BillAt = (at) => workersBill(figures, at);
  const spilled: BillAt[] =
    onWorkers(scenario).problem === undefined ? [] : [(at) => spilledBill(figures, at, forwardMs)];
  return [
    onWorkers,
    ...spilled,
    (at) => lambdaBill(figures, at, "x86"),
    (at) => lambdaBill(figures, at, "arm"),
  ];
}
