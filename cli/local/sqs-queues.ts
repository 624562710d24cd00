import { createHash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

/** An error of SQS, by its code. */
export class SqsFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface QueueSettings {
  name: string;
  visibilitySeconds: number;
  /** A message that was received so often moves there instead of being received once more. */
  redrive?: { to: string; maxReceiveCount: number };
}

interface Message {
  id: string;
  body: string;
  sentAt: number;
  /** Nobody receives it before this time. */
  visibleAt: number;
  receives: number;
  firstReceivedAt?: number;
  /** That of its last receive. */
  handle?: string;
}

type Asked = Record<string, unknown>;

export interface Queues {
  /** Does what a request of SQS's JSON protocol asks for. Rejects with an {@link SqsFailure}. */
  act: (action: string, queue: string, asked: Asked) => Promise<object>;
  /** The bodies of the messages of a queue, whether or not somebody has received them. */
  bodies: (queue: string) => string[];
  /** How many messages of a queue can be received now. */
  waiting: (queue: string) => number;
  /** Lets time pass for all queues at once. */
  advance: (milliseconds: number) => void;
}

const MOST_VISIBILITY_SECONDS = 43_200;
const MOST_DELAY_SECONDS = 900;
const MOST_BYTES = 1_048_576;
const LOOK_MS = 20;

/** Standard queues of SQS in memory, with their visibility time-outs, receive counts, delays and dead-letter queues. */
export function createQueues(all: readonly QueueSettings[]): Queues {
  const settings = new Map(all.map((one) => [one.name, one]));
  const messages = new Map(all.map(({ name }): [string, Message[]] => [name, []]));
  let passed = 0;
  const now = () => Date.now() + passed;

  function of(queue: string) {
    const found = messages.get(queue);
    if (!found) throw new SqsFailure("QueueDoesNotExist", "The specified queue does not exist.");
    return found;
  }

  function send(queue: string, { MessageBody: body, DelaySeconds = 0 }: Asked) {
    if (typeof body !== "string" || body === "")
      throw new SqsFailure("MissingParameter", "MessageBody");
    if (Buffer.byteLength(body) > MOST_BYTES)
      throw new SqsFailure("InvalidParameterValue", "MessageBody is too long");
    const seconds = within(DelaySeconds, MOST_DELAY_SECONDS, "DelaySeconds");
    const id = randomUUID();
    of(queue).push({ id, body, sentAt: now(), visibleAt: now() + seconds * 1000, receives: 0 });
    return { MessageId: id, MD5OfMessageBody: md5(body) };
  }

  function receive(queue: string, asked: Asked): object[] {
    const waiting = [...of(queue)];
    const { visibilitySeconds, redrive } = settings.get(queue) as QueueSettings;
    const most = Number(asked["MaxNumberOfMessages"] ?? 1);
    const hiddenFor = within(
      asked["VisibilityTimeout"] ?? visibilitySeconds,
      MOST_VISIBILITY_SECONDS,
      "VisibilityTimeout",
    );
    const received: object[] = [];
    for (const message of waiting) {
      if (received.length === most) break;
      if (message.visibleAt > now()) continue;
      if (redrive && message.receives >= redrive.maxReceiveCount) {
        take(queue, message);
        const { handle: _, ...moved } = message;
        of(redrive.to).push(moved);
        continue;
      }
      message.receives++;
      message.firstReceivedAt ??= now();
      message.handle = randomUUID();
      message.visibleAt = now() + hiddenFor * 1000;
      received.push(shown(message));
    }
    return received;
  }

  /** Long polling: an empty answer comes after `WaitTimeSeconds`. */
  async function receiveSoon(queue: string, asked: Asked) {
    const until = Date.now() + Number(asked["WaitTimeSeconds"] ?? 0) * 1000;
    for (;;) {
      const Messages = receive(queue, asked);
      if (Messages.length > 0) return { Messages };
      if (Date.now() >= until) return {};
      await sleep(LOOK_MS);
    }
  }

  function take(queue: string, message: Message): void {
    const list = of(queue);
    list.splice(list.indexOf(message), 1);
  }

  const byHandle = (queue: string, { ReceiptHandle }: Asked) =>
    of(queue).find(({ handle }) => handle !== undefined && handle === ReceiptHandle);

  return {
    async act(action, queue, asked) {
      if (action === "SendMessage") return send(queue, asked);
      if (action === "ReceiveMessage") return receiveSoon(queue, asked);
      const message = byHandle(queue, asked);
      if (action === "DeleteMessage") {
        if (message) take(queue, message);
        return {};
      }
      if (action === "ChangeMessageVisibility") {
        const seconds = within(asked["VisibilityTimeout"], MOST_VISIBILITY_SECONDS, action);
        if (!message) throw new SqsFailure("ReceiptHandleIsInvalid", "not a handle of this queue");
        if (message.visibleAt <= now())
          throw new SqsFailure("MessageNotInflight", "The message is not in flight.");
        message.visibleAt = now() + seconds * 1000;
        return {};
      }
      throw new SqsFailure("InvalidAction", action);
    },
    bodies: (queue) => of(queue).map(({ body }) => body),
    waiting: (queue) => of(queue).filter(({ visibleAt }) => visibleAt <= now()).length,
    advance: (milliseconds) => void (passed += milliseconds),
  };
}

function shown({ id, body, handle, receives, sentAt, firstReceivedAt }: Message) {
  return {
    MessageId: id,
    ReceiptHandle: handle,
    Body: body,
    MD5OfBody: md5(body),
    Attributes: {
      ApproximateReceiveCount: String(receives),
      ApproximateFirstReceiveTimestamp: String(firstReceivedAt),
      SentTimestamp: String(sentAt),
      SenderId: "AIDAEXAMPLE",
    },
  };
}

function within(value: unknown, most: number, name: string): number {
  const seconds = Number(value);
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= most) return seconds;
  throw new SqsFailure("InvalidParameterValue", `${name} must be from 0 to ${most}`);
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}
