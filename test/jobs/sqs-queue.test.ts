import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Handle } from "../../functions/jobs/queue.ts";
import { createSqsQueue, type SqsEvent } from "../../functions/platform/queue/sqs.ts";
import { eventOf } from "../../cli/local/event-source.ts";
import { KEYS } from "../harness/dynamodb.ts";
import { startSqs, type SqsServer } from "../../cli/local/sqs-server.ts";

const HOUR = 3_600_000;

let sqs: SqsServer;
const logged: Record<string, unknown>[] = [];
beforeEach(async () => {
  for (const [name, value] of Object.entries(KEYS)) vi.stubEnv(name, value);
  logged.length = 0;
  sqs = await startSqs();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await sqs.close();
});

function open() {
  const { queue, consume, handOut } = createSqsQueue(
    sqs.url("jobs"),
    (entry) => void logged.push(entry),
  );
  /** Hands the event to the handler. */
  const handleEvent = (...[event, handle, isTimeLeft]: [SqsEvent, Handle, () => boolean]) => {
    consume(handle, 1);
    return handOut(event, isTimeLeft);
  };
  return { queue, handleEvent, handOut };
}
const nothing = async () => {};
const always = () => true;

function createClient(): SQSClient {
  const client = new SQSClient({ endpoint: sqs.endpoint });
  onTestFinished(() => client.destroy());
  return client;
}

/** Receives what is there now, as the event that the function gets. */
async function receive(queue = "jobs") {
  const { Messages = [] } = await createClient().send(
    new ReceiveMessageCommand({
      QueueUrl: sqs.url(queue),
      MaxNumberOfMessages: 10,
      MessageSystemAttributeNames: ["All"],
    }),
  );
  return eventOf(sqs.url(queue), Messages);
}

async function receiveDead() {
  for (let receives = 0; receives <= 5; receives++) {
    await receive();
    sqs.queues.advance(HOUR);
  }
  return receive("dead-jobs");
}

test("a job that is wanted after a day has a new message within a quarter of an hour", async () => {
  const { queue, handleEvent } = open();
  await queue.send("a", nothing);
  const event = await receive();
  const result = await handleEvent(event, async () => ({ retryAfterSeconds: 86_400 }), always);
  expect(result).toEqual({ batchItemFailures: [] });
  // As Lambda does then.
  const [{ receiptHandle: ReceiptHandle } = {}] = event.Records;
  await createClient().send(new DeleteMessageCommand({ QueueUrl: sqs.url("jobs"), ReceiptHandle }));
  sqs.queues.advance(899_000);
  expect(sqs.queues.waiting("jobs")).toBe(0);
  sqs.queues.advance(2000);
  const seen: number[] = [];
  await handleEvent(
    await receive(),
    async (_key, tries) => {
      seen.push(tries);
      return "done";
    },
    always,
  );
  expect(seen).toEqual([1]);
});

test("jobs for which there is no time left go back, and have not been tried", async () => {
  const { queue, handleEvent } = open();
  for (const key of ["a", "b", "c"]) await queue.send(key, nothing);
  const seen: string[] = [];
  const handle: Handle = async (key) => {
    seen.push(key);
    return "done";
  };
  const result = await handleEvent(await receive(), handle, () => seen.length < 2);
  expect(result).toEqual({ batchItemFailures: [] });
  expect(seen).toEqual(["a", "b"]);
  const { Records } = await receive();
  expect(Records.map(({ body, attributes }) => [body, attributes.ApproximateReceiveCount])).toEqual(
    [["c", "1"]],
  );
});

test("a message of the dead-letter queue has no tries left, and waits there", async () => {
  const { queue, handleEvent } = open();
  await queue.send("a", nothing);
  const seen: number[] = [];
  const handle: Handle = async (_key, tries) => {
    seen.push(tries);
    return seen.length < 2 ? { retryAfterSeconds: 5 } : "done";
  };
  const event = await receiveDead();
  const [record] = event.Records;
  expect(await handleEvent(event, handle, always)).toEqual({
    batchItemFailures: [{ itemIdentifier: record?.messageId }],
  });
  expect(sqs.queues.bodies("jobs")).toEqual([]);
  sqs.queues.advance(6000);
  expect(await handleEvent(await receive("dead-jobs"), handle, always)).toEqual({
    batchItemFailures: [],
  });
  expect(seen).toEqual([Infinity, Infinity]);
});

test("a dead letter whose job has ended leaves the dead: its webhook raises no alarm", async () => {
  const { queue, handleEvent } = open();
  await queue.send("a", nothing);
  const outcome = { retryAfterSeconds: 300, hasEnded: true } as const;
  const result = await handleEvent(await receiveDead(), async () => outcome, always);
  // Lambda removes it from the dead.
  expect(result).toEqual({ batchItemFailures: [] });
  expect(sqs.queues.bodies("jobs")).toEqual(["a"]);
  sqs.queues.advance(299_000);
  expect(sqs.queues.waiting("jobs")).toBe(0);
  sqs.queues.advance(2000);
  const seen: number[] = [];
  const next = await receive();
  await handleEvent(next, async (_key, tries) => (seen.push(tries), "done"), always);
  expect(seen).toEqual([1]);
});

test("where the queue does not answer, the message comes again after the queue's own time", async () => {
  const { queue, handleEvent } = open();
  await queue.send("a", nothing);
  const event = await receive();
  sqs.behaviour = "error";
  const result = await handleEvent(event, async () => ({ retryAfterSeconds: 1 }), always);
  expect(result.batchItemFailures).toHaveLength(1);
  expect(logged).toMatchObject([{ level: "error", message: "jobs: the queue did not answer" }]);
});

test("without an app that runs jobs, the event fails", async () => {
  const { queue, handOut } = open();
  await queue.send("a", nothing);
  await expect(handOut(await receive(), always)).rejects.toThrow("No app of this function");
});
