import { expect, test } from "vitest";
import { checkQueues } from "../../cli/deploy/queues.ts";
import type { Findings } from "../../cli/deploy/findings.ts";

const jobs = { binding: "JOBS", queue: "shop-jobs" };
const consumer = { queue: "shop-jobs", dead_letter_queue: "shop-jobs-dead" };
const dead = { queue: "shop-jobs-dead" };

test.each([
  ["nothing without jobs", [{ binding: "ORDERS", queue: "orders" }], [], []],
  ["nothing where all is there", [jobs], [consumer, dead], []],
  ["a queue that nobody consumes", [jobs], [dead], [/no \[\[queues\.consumers\]\] for it/]],
  ["no dead letters", [jobs], [{ queue: "shop-jobs" }], [/no dead_letter_queue/]],
  ["dead letters that nobody consumes", [jobs], [consumer], [/for shop-jobs-dead/]],
  [
    "dead letters that are not known as such",
    [jobs],
    [{ queue: "shop-jobs", dead_letter_queue: "letters" }, { queue: "letters" }],
    [/must end in -dead/],
  ],
] as const)("deploy finds %s", (_, producers, consumers, expected) => {
  const findings: Findings = { problems: [], notes: [] };
  checkQueues({ producers: [...producers], consumers: [...consumers] }, findings);
  expect(findings.problems.map(({ what }) => what)).toEqual(
    expected.map((pattern) => expect.stringMatching(pattern) as string),
  );
});
