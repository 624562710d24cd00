// Two months counted by hand, from the published prices and rules. The numbers are written out, and not read from the code.
import { expect, test } from "vitest";
import type { Bill } from "../../cli/cost/bill.ts";
import { fargateBill } from "../../cli/cost/containers.ts";
import { lambdaBill } from "../../cli/cost/lambda.ts";
import { workersBill } from "../../cli/cost/workers.ts";
import { FIGURES, scenario } from "./scenario.ts";

const dollarsOf = ({ lines }: Bill) => lines.map(({ price, dollars }) => [price, dollars] as const);

function expectLines(bill: Bill, byHand: Record<string, number>): void {
  expect(bill.problem).toBeUndefined();
  expect(dollarsOf(bill).map(([price]) => price)).toEqual(Object.keys(byHand));
  for (const [price, dollars] of dollarsOf(bill))
    expect([price, dollars]).toEqual([price, expect.closeTo(byHand[price] ?? NaN, 8)]);
  const sum = Object.values(byHand).reduce((total, dollars) => total + dollars, 0);
  expect(bill.dollars).toBeCloseTo(sum, 8);
}

test("ten million steady requests on Lambda x86 and on Fargate", () => {
  // 730 hours have 2,628,000 seconds: 3.805 requests a second.
  const rate = 10_000_000 / 2_628_000;
  // One environment is enough. It is renewed every two hours: 1 + 730 / 2 starts. Gaps of ten minutes do not come.
  const cold = 366;
  // The first request after ten seconds looks at the release, so every 10 + 1 / 3.805 seconds.
  const looks = 2_628_000 / (10 + 1 / rate);
  // Each invocation is rounded up: 1.2, 1.8, 2 and 2.4 ms are billed as 2, 2, 2 and 3. A cold one takes 120.4 + 79.1 ms:
  // 200. A look waits 20 ms for S3. The watch of rollouts runs each minute for 100 ms.
  const watch = 730 * 60;
  const milliseconds = (10_000_000 - cold) * 2.25 + cold * 200 + looks * 20 + watch * 100;
  const gibibyte = 1_073_741_824;
  const egress = ((10_000_000 * 1000) / gibibyte) * 0.09;
  const storage = (2_000_000 / gibibyte) * 0.023;
  expectLines(lambdaBill(FIGURES, scenario({ requests: 10_000_000 }), "x86"), {
    "lambda-requests": (10.0438 * 20) / 100,
    "lambda-x86": (milliseconds / 1000) * (1769 / 1024) * 0.0000166667,
    "http-api": 10,
    "aws-egress": egress,
    // A cold start reads release, manifest and two files.
    "s3-reads": ((looks + cold * 4) / 1000) * 0.0004,
    "s3-writes": (4 / 1000) * 0.005,
    "s3-storage": storage,
    // 500 + 700 bytes of its own, 330 of Lambda, 350 of API Gateway.
    "cloudwatch-logs": ((10_000_000 * 1880) / gibibyte) * 0.5,
    "cloudwatch-metrics": 2.4,
  });
  expectLines(fargateBill(FIGURES, scenario({ requests: 10_000_000 })), {
    // 3.805 requests a second of 0.5 ms need one vCPU. Fargate gives it 2 GB at the least.
    "fargate-cpu": 730 * 0.04048,
    "fargate-memory": 730 * 2 * 0.004445,
    "balancer-hours": 730 * 0.0225,
    // Each request opens a connection, of which an LCU takes 25 a second: more than the share of its gigabyte an hour.
    "balancer-capacity": 730 * (rate / 25) * 0.008,
    // Its own, and two of the balancer.
    "ipv4-hours": 730 * 3 * 0.005,
    "aws-egress": egress,
    "s3-reads": ((looks + 4) / 1000) * 0.0004,
    "s3-writes": (4 / 1000) * 0.005,
    "s3-storage": storage,
    "cloudwatch-logs": ((10_000_000 * 500) / gibibyte) * 0.5,
  });
});

test("thirty million steady requests on Workers", () => {
  // Ten locations with three million each: 1.1416 a second. Each has one isolate, renewed every two hours.
  const rate = 3_000_000 / 2_628_000;
  const cold = 10 * 366;
  const cpu = (30_000_000 - cold) * 3 + cold * 400;
  // An isolate sends what it counted a second after the first request since the last time, to two objects.
  const messages = 2 * 10 * (2_628_000 / (1 + 1 / rate));
  // 500 bytes of its own, and two events of 1,000 bytes: 75 GB.
  const gigabytes = (30_000_000 * 2500) / 1_000_000_000;
  expectLines(workersBill(FIGURES, scenario({ requests: 30_000_000 })), {
    "workers-plan": 5,
    // Ten million are included.
    "workers-requests": 20 * 0.3,
    "workers-cpu": ((cpu - 30_000_000) / 1_000_000) * 0.02,
    "objects-requests": ((messages - 1_000_000) / 1_000_000) * 0.15,
    // 28 million messages of 10 ms and 128 MB are 35,862 GB-s, of 400,000.
    "objects-duration": 0,
    "objects-rows": ((2 * messages - 50_000_000) / 1_000_000) * 1,
    // 2.4 million looks at the release, of ten million reads; four writes, of a million; 2 MB, of 10 GB.
    "r2-class-b": 0,
    "r2-class-a": 0,
    "r2-storage": 0,
    "workers-logs": (gigabytes - 50) * 0.25,
    "workers-log-storage": ((gigabytes * 7) / 30 - 12) * 0.1,
  });
});

test("Cloudflare's own example of fifteen million requests of 7 ms", () => {
  const { lines } = workersBill(
    { ...FIGURES, worker: { cpuMs: 7, firstCpuMs: 7, memoryBytes: 1 } },
    scenario({ requests: 15e6 }),
  );
  const plan = lines.filter(({ price }) => price.startsWith("workers-") && !/log/.test(price));
  expect(plan.map(({ dollars }) => Number(dollars.toFixed(10)))).toEqual([5, 1.5, 1.5]);
});
