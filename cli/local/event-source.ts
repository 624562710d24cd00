import {
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { SqsEvent, SqsResult } from "../../functions/platform/queue/sqs.ts";
import type { Lambda } from "./lambda.ts";

export interface EventSource {
  /** Takes no further messages, and waits for the event that is handled. */
  stop: () => Promise<void>;
  /** Takes no further messages. Nobody hears what becomes of the event that is handled. */
  leave: () => void;
}

interface EventSourceOptions {
  /** The URLs of the queues. */
  queues: readonly string[];
  /** The function. Rejects where Lambda would say that it failed. */
  invoke: (event: SqsEvent) => Promise<SqsResult>;
  /** How soon queues without messages are asked again. */
  idleMs?: number;
}

/** A queue that does not answer for so long is asked again. */
const PATIENCE_MS = 3000;

/** What Lambda does for a queue: it gives messages to the function, and removes those that do not come again. */
export function startEventSource({ queues, invoke, idleMs = 20 }: EventSourceOptions): EventSource {
  const client = new SQSClient({
    endpoint: new URL(queues[0] ?? "").origin,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  const state = { isOver: false, isLeft: false };

  async function handleNext(QueueUrl: string): Promise<boolean> {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MessageSystemAttributeNames: ["All"],
      }),
      { abortSignal: AbortSignal.timeout(PATIENCE_MS) },
    );
    if (Messages.length === 0) return false;
    const failed = await invoke(eventOf(QueueUrl, Messages)).then(
      ({ batchItemFailures }) => batchItemFailures.map(({ itemIdentifier }) => itemIdentifier),
      () => Messages.map(({ MessageId = "" }) => MessageId),
    );
    if (state.isLeft) return false;
    for (const { MessageId, ReceiptHandle } of Messages)
      if (!failed.includes(MessageId ?? ""))
        await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    return true;
  }

  async function work(): Promise<void> {
    while (!state.isOver) {
      let found = false;
      for (const queue of queues)
        // The queue may be out of reach.
        if (!state.isOver) found = (await handleNext(queue).catch(() => false)) || found;
      if (!found) await new Promise((resolve) => setTimeout(resolve, idleMs));
    }
    client.destroy();
  }

  const working = work();
  return {
    async stop() {
      state.isOver = true;
      await working;
    },
    leave() {
      state.isOver = true;
      state.isLeft = true;
    },
  };
}

/** Gives an event to a function. Rejects where the function failed. */
export async function invokeWith(lambda: Lambda, event: SqsEvent): Promise<SqsResult> {
  const { payload, error } = await lambda.invoke(event);
  if (error !== undefined) throw new Error(`${error}: ${JSON.stringify(payload)}`);
  return payload as SqsResult;
}

/** The event of these messages, as Lambda makes it. */
export function eventOf(queueUrl: string, messages: readonly Message[]): SqsEvent {
  const name = queueUrl.split("/").at(-1) ?? "";
  return {
    Records: messages.map(({ MessageId = "", ReceiptHandle = "", Body = "", ...rest }) => ({
      messageId: MessageId,
      receiptHandle: ReceiptHandle,
      body: Body,
      attributes: rest.Attributes as { ApproximateReceiveCount: string },
      messageAttributes: {},
      md5OfBody: rest.MD5OfBody,
      eventSource: "aws:sqs",
      eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${name}`,
      awsRegion: "us-east-1",
    })),
  };
}
