import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dayOf, type CapturedInput } from "../../functions/observe/capture/captured.ts";
import { sha256 } from "../../functions/platform/sha256.ts";
import { startLambda, type Lambda } from "../../cli/local/lambda.ts";
import { lambdaDirectory } from "../harness/build.ts";
import { startOverS3, targets, type Target, type TargetStore } from "../harness/targets.ts";
import { addCapturing, EVERYTHING } from "./capturing.ts";

const LIMIT_MS = 240_000;
const PLACE = ".captured/iris/";
const FLOWER = { sepal_length: 5.125, sepal_width: 3.5, petal_length: 1.5, petal_width: 0.25 };
const KEPT = { petal_length: 1.5, petal_width: 0.25, sepal_length: 5.125 };

let models: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "nearcast-capture-"));
  const capture = { ...EVERYTHING, redact: ["sepal_width"] };
  await addCapturing(models, "iris", { capture, feedback: { keptSeconds: 600 } });
});
afterAll(() => rm(models, { recursive: true }));

async function ask(target: Target, path: string, body: object, id: string): Promise<void> {
  const headers = { "Content-Type": "application/json", "X-Request-Id": id };
  const answer = await target.fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  expect(answer.status).toBe(200);
}

const predict = (target: Target, id: string) =>
  ask(target, "/v1/models/iris/predict", { inputs: FLOWER }, id);

/** Asks with rows, and with tensors in another dialect. */
async function askInTwoWays(target: Target): Promise<void> {
  await predict(target, "rows");
  const metadata = await target.fetch("/v2/models/iris");
  const { inputs } = (await metadata.json()) as { inputs: { name: string }[] };
  const tensor = { name: inputs[0]?.name, shape: [1, 4], datatype: "FP32" };
  const data = Object.values(FLOWER);
  await ask(target, "/v2/models/iris/infer", { inputs: [{ ...tensor, data }] }, "tensors");
}

async function lines(store: TargetStore): Promise<CapturedInput[]> {
  const texts = [...(await store.texts(PLACE)).values()].join("").split("\n");
  return texts.flatMap((text) => (text === "" ? [] : (JSON.parse(text) as CapturedInput)));
}

async function idsIn(store: TargetStore): Promise<string[]> {
  return (await lines(store)).map(({ request_id: id }) => id).toSorted();
}

test(
  "a Worker writes to R2 after its answers, leaves out what was forgotten, and removes what expired",
  async () => {
    const target = await targets.worker({ models });
    const { store } = target;
    const expired = `${PLACE}${dayOf(Date.now())}/2026-01-01-abc-1.jsonl`;
    try {
      await store.put(expired, '{"request_id": "old"}\n');
      await askInTwoWays(target);
      await predict(target, "forgotten");
      await store.put(`${PLACE}forgotten/request-${sha256("forgotten")}-${Date.now()}`, "");
      await ask(target, "/v1/feedback", { request_id: "rows", outcome: "setosa" }, "f");
      await expect
        .poll(() => idsIn(store), { timeout: 60_000, interval: 500 })
        .toEqual(["rows", "rows", "tensors"]);
      for (const line of await lines(store))
        if (!("outcome" in line)) expect(line.input).toEqual(KEPT);
      await expect
        .poll(async () => [...(await store.texts(PLACE)).keys()], { timeout: 10_000 })
        .not.toContain(expired);
      const listed = await (await target.fetch("/v1/models")).text();
      expect(listed).not.toContain("captured");
    } finally {
      await target.stop();
    }
  },
  LIMIT_MS,
);

test(
  "a Lambda environment writes to S3 with a request before it freezes, once a minute at most",
  async () => {
    const target = await targets.lambda({ models });
    const { store } = target;
    try {
      await predict(target, "first");
      await expect.poll(() => idsIn(store), { timeout: 10_000 }).toEqual(["first"]);
      await askInTwoWays(target);
      expect(await idsIn(store)).toEqual(["first"]);
      await sleep(61_000);
      await predict(target, "later");
      await expect
        .poll(() => idsIn(store), { timeout: 10_000 })
        .toEqual(["first", "later", "rows", "tensors"]);
      for (const { input } of await lines(store)) expect(input).toEqual(KEPT);
    } finally {
      await target.stop();
    }
  },
  LIMIT_MS,
);

test(
  "a Node server writes the rest when it ends, also with inference processes",
  async () => {
    for (const env of [{}, { WORKERS: "2" }]) {
      const target = await targets.node({ models, env });
      const { store } = target;
      try {
        await askInTwoWays(target);
        expect(await idsIn(store)).toEqual([]);
        await target.restart();
        expect(await idsIn(store)).toEqual(["rows", "tensors"]);
        for (const { input } of await lines(store)) expect(input).toEqual(KEPT);
      } finally {
        await target.stop();
      }
    }
  },
  LIMIT_MS,
);

const DAYS = { today: dayOf(Date.now()), next: dayOf(Date.now(), 1) };

/** What is captured of a model that nobody asks any more, by an instance that is gone. */
async function fill(store: TargetStore): Promise<void> {
  for (const day of Object.values(DAYS)) {
    await store.put(`.captured/idle/${day}/2026-01-01-abc-1.jsonl`, '{"request_id": "old"}\n');
    await store.put(`.captured/.due/${day}/idle`, "");
  }
}

const KEPT_ALONE = [
  `.captured/.due/${DAYS.next}/idle`,
  `.captured/idle/${DAYS.next}/2026-01-01-abc-1.jsonl`,
];

test("a Worker's cron trigger removes what expired of models that nobody asks", async () => {
  const target = await targets.worker({ models });
  try {
    await fill(target.store);
    await target.scheduled?.();
    expect([...(await target.store.texts(".captured/")).keys()].toSorted()).toEqual(KEPT_ALONE);
  } finally {
    await target.stop();
  }
});

test("Lambda's scheduled function removes what expired of models that nobody asks", async () => {
  let running: Lambda | undefined;
  const target = await startOverS3({ models }, async (env) => {
    const options = { directory: lambdaDirectory, handler: "index.handler", env, freeze: true };
    const lambda = (running = await startLambda(options));
    return { fetch: lambda.fetch, logs: () => lambda.logs, stop: lambda.stop };
  });
  try {
    await fill(target.store);
    const event = { source: "aws.events", "detail-type": "Scheduled Event", detail: {} };
    expect(await running?.invoke(event)).not.toHaveProperty("error");
    expect([...(await target.store.texts(".captured/")).keys()].toSorted()).toEqual(KEPT_ALONE);
  } finally {
    await target.stop();
  }
});
