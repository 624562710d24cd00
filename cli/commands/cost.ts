import { InvalidArgumentError, Option, type Command } from "commander";
import type { Scenario } from "../cost/bill.ts";
import { compareCosts } from "../cost/compare.ts";
import { figuresOf, forwardMs } from "../cost/figures-of.ts";
import { readOwnPrices } from "../cost/own-prices.ts";
import { PATTERNS, type PatternName } from "../cost/patterns.ts";
import { PRICES, PRICES_READ } from "../cost/prices.ts";
import { assumptions, reportCosts } from "../cost/report.ts";
import { jsonOption, modelsOption, positiveInteger } from "../options.ts";
import { openPackage, parseReference } from "../package-folder.ts";

interface Flags {
  models: string;
  requests: number;
  pattern: PatternName;
  address: Scenario["address"];
  instances: number;
  freeTier?: true;
  logs: boolean;
  prices?: string;
  measure?: true;
  json?: true;
}

/** `nearcast cost <model[@version]>`. */
export function costCommand(program: Command): void {
  program
    .command("cost <model>")
    .description(
      "what a month costs on Workers, on Lambda and in containers that are always on, from measured durations, memory and dated prices",
    )
    .addOption(
      new Option("--requests <number>", "requests a month: 500000, 250k, 1M or 2.5B")
        .argParser(requestCount)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--pattern <name>", "how they come")
        .choices(Object.keys(PATTERNS))
        .default("steady"),
    )
    .addOption(
      new Option("--address <name>", "what callers of Lambda ask")
        .choices(["http-api", "function-url"])
        .default("http-api"),
    )
    .option("--instances <number>", "containers at the least", positiveInteger, 1)
    .option("--free-tier", "take off what AWS and Google give every account for nothing")
    .option(
      "--no-logs",
      "as with ACCESS_LOG=false, EMBEDDED_METRICS=false and no log of the platform",
    )
    .option("--prices <file>", "JSON with prices that hold in place of the built-in ones")
    .option("--measure", "measure on this machine also what the bench has recorded")
    .addOption(modelsOption())
    .addOption(jsonOption())
    .action(async (reference: string, flags: Flags) => {
      const local = await openPackage(flags.models, parseReference(reference));
      const prices = flags.prices === undefined ? PRICES : await readOwnPrices(flags.prices);
      const { requests, logs, address, instances, freeTier = false, measure = false } = flags;
      const pattern = PATTERNS[flags.pattern];
      const scenario: Scenario = { requests, pattern, prices, freeTier, logs, address, instances };
      const figures = await figuresOf(local, { measure });
      const comparison = compareCosts(figures, scenario, await forwardMs());
      if (!flags.json) return console.log(reportCosts(figures, scenario, comparison));
      const { bills } = comparison;
      console.log(
        JSON.stringify({
          currency: "USD",
          pricesRead: PRICES_READ,
          requests,
          pattern: flags.pattern,
          figures,
          ...comparison,
          assumptions: assumptions(figures.basis, scenario, bills),
          prices,
        }),
      );
    });
}

const UNITS = { "": 1, k: 1e3, M: 1e6, B: 1e9 } as const;

/** More than anybody asks, and still exact in calculations. */
const MOST_REQUESTS = 1e11;

/** Reads a number of requests, such as `500000`, `250k`, `1M` or `2.5B`. Anything else is a usage error. */
function requestCount(text: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)([kMB]?)$/.exec(text) ?? [];
  const value = Number(number) * UNITS[unit as keyof typeof UNITS];
  if (number === "" || !Number.isInteger(value) || value < 1 || value > MOST_REQUESTS)
    throw new InvalidArgumentError(
      "It is not a number of requests such as 500000, 250k, 1M or 2.5B.",
    );
  return value;
}
