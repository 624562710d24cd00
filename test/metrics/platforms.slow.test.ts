import { describe, expect, test } from "vitest";
import { samplesOf } from "../harness/samples.ts";
import { targets } from "../harness/targets.ts";
import { countsWhatWasSent } from "./suite.ts";

describe("Node with two processes", () =>
  countsWhatWasSent((options) => targets.node({ ...options, env: { WORKERS: "2" } })));
describe("a Worker with its Durable Objects", () => countsWhatWasSent(targets.worker));
describe("a Lambda environment", () => countsWhatWasSent(targets.lambda));

const ask = {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }),
};
const SUCCESS = 'nv_inference_request_success{model="iris",version="1"}';

test("a new isolate goes on where the one before it ended", async () => {
  const worker = await targets.worker();
  try {
    const count = async () => samplesOf(await (await worker.fetch("/metrics")).text()).get(SUCCESS);
    for (let round = 0; round < 5; round++) await worker.fetch("/v1/models/iris/predict", ask);
    await expect.poll(count).toBe(5);
    await worker.restart();
    for (let round = 0; round < 3; round++) await worker.fetch("/v1/models/iris/predict", ask);
    await expect.poll(count).toBe(8);
  } finally {
    await worker.stop();
  }
});

test("without its Durable Objects an isolate counts for itself, and says so once", async () => {
  const worker = await targets.worker({ modelState: false });
  try {
    for (let round = 0; round < 5; round++) await worker.fetch("/v1/models/iris/predict", ask);
    const text = await (await worker.fetch("/metrics")).text();
    expect(samplesOf(text).get(SUCCESS)).toBe(5);
    expect(worker.logs().split("MODEL_STATE").length - 1).toBe(1);
  } finally {
    await worker.stop();
  }
});

test("Lambda's log has a line of CloudWatch's metrics for each request", async () => {
  const lambda = await targets.lambda();
  try {
    for (let round = 0; round < 5; round++) await lambda.fetch("/v1/models/iris/predict", ask);
    const lines = () =>
      lambda
        .logs()
        .split("\n")
        .filter((line) => line.includes('"_aws"'));
    const counted = () =>
      lines().filter((line) => line.includes('"nv_inference_request_success":1'));
    await expect.poll(() => counted().length).toBe(5);
  } finally {
    await lambda.stop();
  }
});
