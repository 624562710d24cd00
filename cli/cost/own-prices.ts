import { readFile } from "node:fs/promises";
import * as z from "zod";
import { nearest } from "../../functions/near-miss.ts";
import { oneLine } from "../one-line.ts";
import { PRICES, type PriceName, type Prices } from "./prices.ts";
import type { Price } from "./price.ts";

const amount = z.number().nonnegative();

const ownPrice = z.strictObject({
  dollars: amount,
  included: amount.default(0),
  free: amount.default(0),
});

const fileSchema = z.record(z.string(), z.union([amount, ownPrice]));

/**
 * Reads a file of own prices, which hold in place of the built-in ones for as many of the same unit, and have no tiers. A
 * number changes the dollars alone: what is included stays. Throws an Error that names the file and what is wrong.
 * @example {"lambda-x86": 0.00002, "workers-requests": {"dollars": 0.25, "included": 50000000}}
 */
export async function readOwnPrices(path: string): Promise<Prices> {
  const text = await readFile(path, "utf8").catch((cause: Error) => {
    throw new Error(`The prices in ${path} cannot be read. ${cause.message}`, { cause });
  });
  const prices: Record<PriceName, Price> = { ...PRICES };
  for (const [name, given] of Object.entries(parse(text, path))) {
    if (!isName(name)) throw new Error(unknownName(name, path));
    const { tiers: _tiers, known: _known, ...known }: Price = PRICES[name];
    const own = typeof given === "number" ? { dollars: given } : given;
    prices[name] = { ...known, ...own, source: path, seen: path };
  }
  return prices;
}

function parse(text: string, path: string): z.output<typeof fileSchema> {
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new Error(`The prices in ${path} cannot be used. ${oneLine(reason)}`, { cause });
  }
}

function isName(name: string): name is PriceName {
  return Object.hasOwn(PRICES, name);
}

function unknownName(name: string, path: string): string {
  const names = Object.keys(PRICES);
  const meant = nearest(name, names);
  const hint = meant === undefined ? `There are: ${names.join(", ")}.` : `Do you mean ${meant}?`;
  return `${path} has a price ${JSON.stringify(name)}, which there is not. ${hint}`;
}
