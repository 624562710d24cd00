import { expect, test } from "vitest";
import { locationOf, startJobsOnLambda } from "../jobs/started-lambda.ts";
import {
  answersOf,
  expectAnswered,
  expectEmbedded,
  expectOwnAnswers,
  flowerLines,
  HEADER,
  OBJECT_TYPE,
} from "./flowers.ts";

const ROWS = 50;
const LIMIT_MS = 400_000;

test(
  "an object of the bucket is answered as calls are, also when the function is killed on the way",
  async () => {
    // Longer than a step.
    const started = await startJobsOnLambda({
      env: { MAX_BATCH: `${ROWS}` },
      visibilitySeconds: 5,
    });
    const { ask, work, jobs, target, sqs } = started;
    // More chunks than one invocation cuts.
    const lines = flowerLines(270 * ROWS);
    const answers = await answersOf(ask, lines, ROWS);
    await target.store.put(".batches/anonymous/flowers.csv", HEADER + lines.join(""));
    const made = await ask("/v1/batches", {
      method: "POST",
      headers: OBJECT_TYPE,
      body: JSON.stringify({ model: "iris", input: { object: "flowers.csv" } }),
    });
    expect(made.status).toBe(202);
    let events = 0;
    let kills = 0;
    work(() => {
      const { pid } = jobs();
      // While the file is cut, and while chunks are answered.
      if (pid === undefined || events++ % 40 !== 0 || kills >= 5) return;
      kills += 1;
      setTimeout(() => jobs().pid === pid && process.kill(pid, "SIGKILL"), kills * 17);
    });
    await expectAnswered(ask, locationOf(made), { lines, answers });
    expect(kills).toBe(5);
    const objects = await target.store.texts(".batches/anonymous/flowers.csv.");
    expect([...objects.keys()].map((key) => key.split(".").at(-2))).toEqual(["errors", "output"]);
    const left = [...(await target.store.texts(".jobs/")).keys()];
    expect(left.filter((key) => key.includes("/in-"))).toEqual([]);
    // Only the message that ends the batch when its time is over.
    await expect
      .poll(() => sqs.queues.bodies("jobs").filter((body) => !body.endsWith("keep")))
      .toEqual([]);
  },
  LIMIT_MS,
);

test("an upload is answered, and one over the limit is told to be an object", async () => {
  const { ask, work } = await startJobsOnLambda();
  work();
  const upload = (body: string) =>
    ask("/v1/batches?model=iris", {
      method: "POST",
      headers: { "Content-Type": "text/csv" },
      body,
    });
  const lines = flowerLines(1500);
  const made = await upload(HEADER + lines.join(""));
  expect(made.status).toBe(202);
  const answers = await answersOf(ask, lines, 500);
  await expectAnswered(ask, locationOf(made), { lines, answers });
  const refused = await upload(HEADER + "5.1,3.5,1.4,0.2\n".repeat(282_000));
  expect(refused.status).toBe(413);
  expect(await refused.json()).toMatchObject({
    code: "body_too_large",
    detail: expect.stringMatching(/at most 4500000 bytes.*input\.object/) as string,
  });
});

test("a batch that is removed and made again at once has its own answers", async () => {
  const { ask, work } = await startJobsOnLambda({ env: { MAX_BATCH: "20" } });
  work();
  await expectOwnAnswers(ask, 20);
});

test("a batch of OpenAI's kind is answered", async () => {
  const { ask, work } = await startJobsOnLambda();
  work();
  await expectEmbedded(ask);
});
