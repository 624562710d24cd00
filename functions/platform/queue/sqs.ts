import type { Consume, Handle, Queue } from "../../jobs/queue.ts";
import { boundResponses } from "../bounded-responses.ts";

/** What Lambda gives to a function that a queue of SQS calls. */
export interface SqsEvent {
  Records: readonly SqsRecord[];
}

interface SqsRecord {
  messageId: string;
  receiptHandle: string;
  body: string;
  eventSource: string;
  /** `arn:aws:sqs:region:account:name` of its queue. */
  eventSourceARN: string;
  attributes: { ApproximateReceiveCount: string };
}

/** The messages of an event that come again. Lambda removes the others from their queue. */
export interface SqsResult {
  batchItemFailures: { itemIdentifier: string }[];
}

/**
 * Hands the messages of an event to the function's jobs, one after the other. `isTimeLeft` says whether there is time for
 * one more: others go back to the queue. Rejects where the function has no app that would run them.
 */
export type HandOut = (event: SqsEvent, isTimeLeft: () => boolean) => Promise<SqsResult>;

/** Longest wait for one request, with the SDK's own retries. */
const TIMEOUT_MS = 5000;
const LONGEST_DELAY_SECONDS = 900;
const LONGEST_VISIBILITY_SECONDS = 43_200;

/**
 * A queue of SQS, with messages that Lambda hands out. Its dead-letter queue is in the same region and account. A message
 * from there has no tries left. `url` is that of the queue. The SDK is loaded with the first message that is sent.
 */
export function createSqsQueue(
  url: string,
  log: (entry: Record<string, unknown>) => void,
): { queue: Queue; consume: Consume; handOut: HandOut } {
  let started: ReturnType<typeof start> | undefined;
  let consumer: Handle | undefined;

  async function send(key: string, seconds: number): Promise<void> {
    const { client, SendMessageCommand } = await (started ??= start(url));
    const DelaySeconds = Math.min(Math.ceil(seconds), LONGEST_DELAY_SECONDS);
    const command = new SendMessageCommand({ QueueUrl: url, MessageBody: key, DelaySeconds });
    await client.send(command, { abortSignal: AbortSignal.timeout(TIMEOUT_MS) });
  }

  /** The message comes again after this time. */
  async function hide(record: SqsRecord, seconds: number): Promise<void> {
    const { client, ChangeMessageVisibilityCommand } = await (started ??= start(url));
    const command = new ChangeMessageVisibilityCommand({
      QueueUrl: besideUrl(url, record),
      ReceiptHandle: record.receiptHandle,
      VisibilityTimeout: Math.min(Math.ceil(seconds), LONGEST_VISIBILITY_SECONDS),
    });
    await client.send(command, { abortSignal: AbortSignal.timeout(TIMEOUT_MS) });
  }

  /** Whether the message is done with. */
  async function settle(record: SqsRecord, handle: Handle): Promise<boolean> {
    const isDead = besideUrl(url, record) !== url;
    const tries = isDead ? Infinity : Number(record.attributes.ApproximateReceiveCount);
    const outcome = await handle(record.body, tries);
    if (outcome === "done") return true;
    // What cannot be ended stays among the dead, which has an alarm. One that has ended does not come back for its webhook.
    const stays = isDead && !outcome.hasEnded;
    try {
      // A new message has not been tried.
      if (stays) await hide(record, outcome.retryAfterSeconds);
      else await send(record.body, outcome.retryAfterSeconds);
      return !stays;
    } catch (error) {
      // It comes again after the queue's own time.
      log({ level: "error", message: "jobs: the queue did not answer", error: String(error) });
      return false;
    }
  }

  return {
    queue: {
      async send(key, write) {
        await write();
        await send(key, 0);
      },
    },
    // Lambda gives one event at a time: its environments are what runs at once.
    consume(handle) {
      consumer = handle;
      return async () => void (consumer = undefined);
    },
    async handOut({ Records }, isTimeLeft) {
      const handle = consumer;
      if (!handle) throw new Error("No app of this function runs jobs.");
      const batchItemFailures: SqsResult["batchItemFailures"] = [];
      for (const [index, record] of Records.entries()) {
        const isNext = index === 0 || isTimeLeft();
        const isDone = await settle(record, isNext ? handle : later);
        if (!isDone) batchItemFailures.push({ itemIdentifier: record.messageId });
      }
      return { batchItemFailures };
    },
  };
}

async function start(url: string) {
  const { ChangeMessageVisibilityCommand, SendMessageCommand, SQSClient } =
    await import("./sqs-sdk.ts");
  const client = boundResponses(new SQSClient({ endpoint: new URL(url).origin }));
  return { client, ChangeMessageVisibilityCommand, SendMessageCommand };
}

/** The URL of the record's queue, which is the queue at `url` or one beside it. */
function besideUrl(url: string, { eventSourceARN }: SqsRecord): string {
  const name = eventSourceARN.split(":").at(-1) ?? "";
  return `${url.slice(0, url.lastIndexOf("/") + 1)}${name}`;
}

/** It was not its turn, which is no try. */
const later: Handle = async () => ({ retryAfterSeconds: 0 });
