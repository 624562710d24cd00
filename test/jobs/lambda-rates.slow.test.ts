import { expect, onTestFinished, test } from "vitest";
import { startDynamoDb } from "../harness/dynamodb.ts";
import { locationOf, startJobsOnLambda } from "./started-lambda.ts";

const SETOSA = [5.1, 3.5, 1.4, 0.2];
const PREDICT = "/v1/models/iris/predict";
const WINDOW_SECONDS = 10;

test("a job waits where the rate is used up that both functions count in DynamoDB, and is answered then", async () => {
  const dynamodb = await startDynamoDb("rates");
  onTestFinished(() => dynamodb.stop());
  const { later, post, ask, work, target } = await startJobsOnLambda({
    env: { ...dynamodb.env, RATE_LIMIT: `10/${WINDOW_SECONDS}s` },
    visibilitySeconds: 30,
  });
  // The job pays one unit here, and the rest when it runs.
  const rows = Array.from({ length: 10 }, () => SETOSA);
  const made = await later(PREDICT, { inputs: rows });
  expect(made.status).toBe(202);
  let refused = 0;
  for (let call = 0; call < 12; call++)
    if ((await post(PREDICT, { inputs: SETOSA })).status === 429) refused++;
  expect(refused).toBeGreaterThan(0);
  work();
  // To ask for the job would cost a unit each time.
  const statuses = async () => {
    const stored = await target.store.texts(".jobs/");
    const [, record = ""] = [...stored].find(([key]) => key.endsWith("/job.json")) ?? [];
    return (JSON.parse(record) as { events: { status: string }[] }).events.map((one) => one.status);
  };
  await expect.poll(statuses, { timeout: 90_000, interval: 200 }).toContain("succeeded");
  const all = await statuses();
  expect(all.slice(0, 3)).toEqual(["queued", "running", "queued"]);
  expect(all.at(-1)).toBe("succeeded");
  let result = "";
  const read = async () => {
    const answer = await ask(`${locationOf(made)}/result`);
    result = await answer.text();
    return answer.status;
  };
  await expect.poll(read, { timeout: 30_000, interval: 1000 }).toBe(200);
  expect((JSON.parse(result) as { outputs: unknown[] }).outputs).toHaveLength(rows.length);
  expect(dynamodb.asked()).toContain("UpdateItem");
}, 120_000);
