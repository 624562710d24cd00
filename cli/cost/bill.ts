import type { Pattern } from "./patterns.ts";
import { charge } from "./price.ts";
import type { PriceName, Prices } from "./prices.ts";

/** What is asked of a deployment in a month, and how it is deployed. */
export interface Scenario {
  requests: number;
  pattern: Pattern;
  prices: Prices;
  /** Whether the free tiers of AWS and Google are left for this deployment. */
  freeTier: boolean;
  /** Whether each request writes its lines to the platform's log. */
  logs: boolean;
  /** What callers of Lambda ask: API Gateway's HTTP API, as `serverless.yml` deploys it, or the function's own URL. */
  address: "http-api" | "function-url";
  /** How many containers there are at the least. */
  instances: number;
}

export interface Line {
  item: string;
  quantity: number;
  unit: string;
  /** US dollars a month. */
  dollars: number;
  price: PriceName;
}

export interface Bill {
  platform: string;
  lines: Line[];
  /** US dollars a month. */
  dollars: number;
  /** US dollars for a million of the requests, the fixed part shared among them. */
  perMillion: number;
  /** Figures of this platform that a reader needs to follow the lines. */
  facts: string[];
  /** Why the model cannot be served there. */
  problem?: string;
}

/** Makes the lines of one scenario. */
export function lineOf({ prices, freeTier }: Scenario) {
  return (price: PriceName, item: string, quantity: number): Line => ({
    item,
    quantity,
    unit: prices[price].unit,
    dollars: charge(prices[price], quantity, freeTier),
    price,
  });
}

export function billOf(
  platform: string,
  { requests }: Scenario,
  { lines, ...rest }: Pick<Bill, "lines" | "facts" | "problem">,
): Bill {
  const dollars = lines.reduce((sum, line) => sum + line.dollars, 0);
  return { platform, lines, dollars, perMillion: (dollars / requests) * 1e6, ...rest };
}
