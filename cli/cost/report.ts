import type { Bill, Line, Scenario } from "./bill.ts";
import type { Comparison } from "./compare.ts";
import { UTILISATION } from "./containers.ts";
import type { Figures } from "./figures.ts";
import { LAMBDA_MB, RELEASE_SECONDS, STORE_MS } from "./lambda.ts";
import { HOURS, IDLE_SECONDS, LIFE_HOURS, peakRatio, rateOf } from "./patterns.ts";
import { PRICES_READ, type PriceName } from "./prices.ts";
import { LOCATIONS } from "./workers.ts";

/** The comparison as text for a terminal. */
export function reportCosts(
  { model, version, basis }: Figures,
  scenario: Scenario,
  comparison: Comparison,
): string {
  const { bills, breakEvens } = comparison;
  return [
    `${model}@${version}, ${count(scenario.requests)} requests a month, ${scenario.pattern.about}.`,
    `US dollars a month, list prices of ${PRICES_READ}${scenario.freeTier ? ", AWS's and Google's free tiers taken off" : ""}.`,
    "",
    table([
      ["", "a month", "per million"],
      ...bills.map(({ platform, dollars, perMillion, problem }) =>
        problem === undefined
          ? [platform, money(dollars), money(perMillion)]
          : [platform, "does not fit", problem],
      ),
    ]),
    ...bills.filter(({ lines }) => lines.length > 0).map(detailed),
    "",
    "Break-even, requests a month:",
    table(
      breakEvens.map(({ functions, container, requests }) => [
        functions,
        requests === undefined
          ? `is never dearer than ${container}, up to a hundred billion`
          : `is cheaper than ${container} below ${count(requests)}`,
      ]),
    ),
    "",
    "What is assumed:",
    ...assumptions(basis, scenario, bills).map((line) => `  ${line}`),
  ].join("\n");
}

function detailed({ platform, lines, facts }: Bill): string {
  return [
    "",
    platform,
    table(
      lines.map(({ item, quantity, unit, dollars }) => [
        item,
        `${count(quantity)} ${unit}`,
        money(dollars),
      ]),
    ),
    ...facts.map((fact) => `  ${fact}`),
  ].join("\n");
}

/** What the figures rest on, a sentence each. docs/cost.md says more. */
export function assumptions(basis: string, scenario: Scenario, bills: readonly Bill[]): string[] {
  const { pattern, requests, prices } = scenario;
  const [peak] = pattern.phases;
  const used = new Set<PriceName>(bills.flatMap(({ lines }) => lines.map(priceOf)));
  const unseen = [...used].filter((name) => prices[name].known !== undefined);
  return [
    `Durations, processor time and memory: ${basis}.`,
    `A core of that machine is taken as a vCPU of every platform, and arm as fast as x86. Lambda has ${LAMBDA_MB} MB, which is one vCPU.`,
    `Requests come by chance; at the peak ${rateOf(peak, requests).toPrecision(3)} a second, ${peakRatio(pattern).toFixed(1)} times the mean of the ${HOURS} hours.`,
    `Instances of functions end after ${IDLE_SECONDS / 60} idle minutes and after ${LIFE_HOURS} hours. No platform promises either.`,
    `Callers of a Worker come by ${LOCATIONS} locations. Each instance looks at the release every ${RELEASE_SECONDS} s that it is asked, for ${STORE_MS} ms on Lambda.`,
    `Containers have one vCPU, are as many as the peak needs at ${UTILISATION * 100} % of it, and run all month.`,
    "What Cloudflare's paid plan and R2 include is taken off, as if this were all in the account.",
    ...(unseen.length > 0
      ? [
          `Not looked up, but known of ${[...new Set(unseen.map((name) => prices[name].known))].join(", ")}: the prices ${unseen.join(", ")}. --prices replaces them.`,
        ]
      : []),
    "Not counted: taxes, support, people, jobs, captured inputs, rate limits, versions on trial, alarms, storage of logs on AWS, SQS's polling.",
  ];
}

function priceOf({ price }: Line): PriceName {
  return price;
}

function money(dollars: number): string {
  if (dollars > 0 && dollars < 0.01) return "<0.01";
  return dollars.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

function count(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : 2;
  if (value > 0 && value < 0.01) return "<0.01";
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

/** The first column to the left, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const last = widths.length - 1;
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const isNumber = column > 0 && column === last && /^[<\d]|^per/.test(cell);
          return isNumber ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
        })
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `  ${line}`)
    .join("\n");
}
