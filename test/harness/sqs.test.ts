import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startSqs, type SqsServer } from "../../cli/local/sqs-server.ts";

// A server that others wrote, moto 5.2, gives the same answers to the same requests, but for one: it lets a time-out be
// changed that is over. AWS documents the refusal.
const SECOND = 1000;

let sqs: SqsServer;
let client: SQSClient;
let QueueUrl: string;
beforeEach(async () => {
  sqs = await startSqs({ visibilitySeconds: 30 });
  QueueUrl = sqs.url("jobs");
  client = new SQSClient({
    endpoint: sqs.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
  });
});
afterEach(async () => {
  client.destroy();
  await sqs.close();
});

const send = (MessageBody: string, more: object = {}) =>
  client.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));
async function receive(queue = QueueUrl, more: object = {}) {
  const command = new ReceiveMessageCommand({
    QueueUrl: queue,
    MaxNumberOfMessages: 10,
    MessageSystemAttributeNames: ["All"],
    ...more,
  });
  return (await client.send(command)).Messages ?? [];
}
const counts = async (queue?: string) =>
  (await receive(queue)).map(({ Body, Attributes }) => [Body, Attributes?.ApproximateReceiveCount]);

test("a message is hidden from others while it is received, and comes again with one more count", async () => {
  await send("a");
  expect(await counts()).toEqual([["a", "1"]]);
  expect(await counts()).toEqual([]);
  sqs.queues.advance(31 * SECOND);
  expect(await counts()).toEqual([["a", "2"]]);
});

test("a deleted message does not come again", async () => {
  await send("a");
  const [message] = await receive();
  await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }));
  sqs.queues.advance(31 * SECOND);
  expect(await counts()).toEqual([]);
  expect(sqs.queues.bodies("jobs")).toEqual([]);
});

test("a delayed message comes after its delay, of 900 seconds at the most", async () => {
  await send("a", { DelaySeconds: 900 });
  sqs.queues.advance(899 * SECOND);
  expect(await counts()).toEqual([]);
  sqs.queues.advance(2 * SECOND);
  expect(await counts()).toEqual([["a", "1"]]);
  await expect(send("b", { DelaySeconds: 901 })).rejects.toMatchObject({
    name: "InvalidParameterValue",
  });
});

test("the time for which a message is hidden can be changed, while it is", async () => {
  await send("a");
  const [{ ReceiptHandle } = {}] = await receive();
  const hide = (VisibilityTimeout: number) =>
    client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }));
  await hide(5);
  sqs.queues.advance(6 * SECOND);
  await expect(hide(5)).rejects.toMatchObject({ name: "MessageNotInflight" });
  expect(await counts()).toEqual([["a", "2"]]);
  await expect(hide(43_201)).rejects.toMatchObject({ name: "InvalidParameterValue" });
});

test("a message that was received five times goes to the dead-letter queue instead", async () => {
  await send("a");
  for (let count = 1; count <= 5; count++) {
    expect(await counts()).toEqual([["a", String(count)]]);
    sqs.queues.advance(31 * SECOND);
  }
  expect(await counts()).toEqual([]);
  expect(sqs.queues.bodies("jobs")).toEqual([]);
  expect((await counts(sqs.url("dead-jobs"))).map(([body]) => body)).toEqual(["a"]);
});

test("an absent queue and an unknown handle are refused with SQS's own errors", async () => {
  await expect(receive(sqs.url("nothing"))).rejects.toMatchObject({ name: "QueueDoesNotExist" });
  const command = new ChangeMessageVisibilityCommand({
    QueueUrl,
    ReceiptHandle: "made-up",
    VisibilityTimeout: 1,
  });
  await expect(client.send(command)).rejects.toMatchObject({ name: "ReceiptHandleIsInvalid" });
});
