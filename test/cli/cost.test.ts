import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Bill } from "../../cli/cost/bill.ts";
import type { BreakEven } from "../../cli/cost/compare.ts";
import type { Figures } from "../../cli/cost/figures.ts";
import { readRecording } from "../../cli/cost/recorded.ts";
import { openPackage } from "../../cli/package-folder.ts";
import { shippedModels } from "../../bench/shipped.ts";
import { nearcast, succeed, temporaryFolder } from "./nearcast.ts";

interface Printed {
  pricesRead: string;
  requests: number;
  pattern: string;
  figures: Figures;
  bills: Bill[];
  breakEvens: BreakEven[];
  assumptions: string[];
}

async function costs(...flags: string[]): Promise<Printed> {
  return JSON.parse(await succeed(["cost", "iris", "--json", ...flags])) as Printed;
}

function dollars({ bills }: Printed, platform: string, price: string): number {
  const lines = bills.find((bill) => bill.platform === platform)?.lines ?? [];
  return lines.find((line) => line.price === price)?.dollars ?? NaN;
}

test("the bench has recorded the released version of every shipped model", async () => {
  const { models } = await readRecording();
  for (const { manifest } of await shippedModels()) {
    const recorded = models.find(({ model }) => model === manifest.name);
    const { manifest: whole } = await openPackage("models", {
      name: manifest.name,
      version: recorded?.version ?? "unrecorded",
    });
    expect(recorded?.digest, "npm run bench -- --only cost").toBe(whole.artifact.sha256);
  }
});

test("a shipped model: the sums of its lines, by its recorded figures", async () => {
  const printed = await costs("--requests", "20M");
  const { figures, bills } = printed;
  expect(bills.map(({ platform }) => platform)).toEqual([
    "Cloudflare Workers",
    "AWS Lambda, x86",
    "AWS Lambda, arm",
    "Fargate, always on",
    "Cloud Run, always on",
  ]);
  for (const bill of bills) {
    const sum = bill.lines.reduce((total, line) => total + line.dollars, 0);
    expect(bill.dollars).toBeCloseTo(sum, 8);
    expect(bill.perMillion).toBeCloseTo(sum / 20, 8);
  }
  // Ten of the twenty million are included; 730 hours have 2,628,000 seconds.
  expect(dollars(printed, "Cloudflare Workers", "workers-requests")).toBeCloseTo(3, 8);
  expect(dollars(printed, "Cloud Run, always on", "cloud-run-cpu")).toBeCloseTo(47.304, 8);
  const { durationsMs, initMs, firstMs } = figures.lambda;
  const billed = durationsMs.map(Math.ceil).reduce((sum, ms) => sum + ms, 0) / durationsMs.length;
  const looks = 2_628_000 / (10 + 2_628_000 / 20e6);
  const ms = (20e6 - 366) * billed + 366 * Math.ceil(initMs + firstMs) + looks * 20 + 43_800 * 100;
  // Started environments are not always a whole number of the 365 renewals and the first.
  expect(
    dollars(printed, "AWS Lambda, x86", "lambda-x86") /
      ((ms / 1000) * (1769 / 1024) * 0.0000166667),
  ).toBeCloseTo(1, 2);
});

test("the report has the totals, the lines, the break-even and what is assumed", async () => {
  const text = await succeed(["cost", "sentiment", "--requests", "1M", "--pattern", "bursty"]);
  expect(text).toContain(
    "sentiment@1, 1,000,000 requests a month, half of the requests in a burst of three minutes each hour",
  );
  expect(text).toMatch(/^ {2}AWS Lambda, x86 +\d+\.\d\d +\d+\.\d\d$/m);
  expect(text).toMatch(/^ {2}API Gateway +1,000,000 requests of 512 KB +1\.00$/m);
  expect(text).toMatch(/Workers +is cheaper than Fargate, always on below [\d,]+$/m);
  expect(text).toContain("at the peak 3.81 a second, 10.0 times the mean of the 730 hours.");
  expect(text).toContain("recorded by the bench");
  expect(text).toContain("Not looked up, but known of 2025: the prices cloud-run-memory");
});

test("flags: a function URL, no logs, free tiers, two containers", async () => {
  const plain = await costs("--requests", "1M");
  const cheaper = await costs(
    ..."--requests 1000k --address function-url --no-logs --free-tier --instances 2".split(" "),
  );
  expect(cheaper.requests).toBe(plain.requests);
  const prices = cheaper.bills.flatMap(({ lines }) => lines.map(({ price }) => price));
  expect(prices.filter((price) => /http-api|logs|metrics/.test(price))).toEqual([]);
  expect(dollars(cheaper, "AWS Lambda, x86", "lambda-x86")).toBe(0);
  const vcpu = (printed: Printed) => dollars(printed, "Fargate, always on", "fargate-cpu");
  expect(vcpu(cheaper) / vcpu(plain)).toBe(2);
});

test("own prices hold in place of the built-in ones", async () => {
  const file = join(await temporaryFolder(), "prices.json");
  const own = {
    "http-api": 0.5,
    "workers-requests": { dollars: 1, included: 0 },
    "google-logs": 0,
  };
  await writeFile(file, JSON.stringify(own));
  const printed = await costs("--requests", "2M", "--prices", file);
  expect(dollars(printed, "AWS Lambda, x86", "http-api")).toBe(1);
  expect(dollars(printed, "Cloudflare Workers", "workers-requests")).toBe(2);
  expect(printed.assumptions.find((line) => line.startsWith("Not looked up"))).not.toContain(
    "google-logs",
  );
});

test("the prices that the documentation shows can be used", async () => {
  const page = await readFile("docs/cost.md", "utf8");
  const file = join(await temporaryFolder(), "prices.json");
  await writeFile(file, /```json\n(.+?)\n```/s.exec(page)?.[1] ?? "");
  const printed = await costs("--requests", "1M", "--prices", file);
  expect(dollars(printed, "AWS Lambda, x86", "http-api")).toBeCloseTo(1.11, 8);
});

test.each([
  ['{"http-apis": 1}', 'has a price "http-apis", which there is not. Do you mean http-api?'],
  ['{"http-api": -1}', 'cannot be used. ["http-api"]: must be at least 0'],
  ['{"http-api": "free"}', 'cannot be used. ["http-api"]: has none of the forms'],
  ["{", "cannot be used."],
])("prices %s are refused", async (text, reason) => {
  const file = join(await temporaryFolder(), "prices.json");
  await writeFile(file, text);
  const outcome = await nearcast(["cost", "iris", "--requests", "1M", "--prices", file]);
  expect(outcome).toMatchObject({ code: 1, stdout: "" });
  expect(outcome.stderr).toContain(reason);
});

const REFUSED: [args: string[], code: number, reason: string][] = [
  [["nobody", "--requests", "1M"], 1, "There is no model nobody in models."],
  [["iris@7", "--requests", "1M"], 1, "There is no version 7 of iris in models. It has 1."],
  [["iris", "--requests", "1M", "--prices", "nowhere.json"], 1, "cannot be read"],
  [["iris"], 2, "required option '--requests <number>' not specified"],
  [["iris", "--requests", "1M", "--pattern", "wild"], 2, "steady, office, bursty"],
];
for (const text of ["1X", "-5", "0", "1.5", "1e3", "101B", ""])
  REFUSED.push([["iris", "--requests", text], 2, "It is not a number of requests"]);

test.each(REFUSED)("%j is refused", async (args, code, reason) => {
  const outcome = await nearcast(["cost", ...args]);
  expect(outcome).toMatchObject({ code, stdout: "" });
  expect(outcome.stderr).toContain(reason);
});
