import type { Consume, Outcome, Queue } from "../../jobs/queue.ts";

/** What is used of a queue's binding. */
export interface QueueBinding {
  send(body: string, options: { delaySeconds: number }): Promise<unknown>;
}

/** What is used of a batch that Cloudflare Queues hands to the Worker. */
export interface QueueBatch {
  readonly queue: string;
  readonly messages: readonly Message[];
}

interface Message {
  readonly body: unknown;
  /** 1 for the first time, and one more for each time that it was not acknowledged. */
  readonly attempts: number;
  ack(): void;
  retry(options: { delaySeconds: number }): void;
}

/** Hands the messages of a batch to the Worker's jobs. Rejects where the Worker has no app that would run them. */
export type HandOut = (batch: QueueBatch) => Promise<void>;

/** A queue whose name ends so has the messages that ended their invocations too often. */
const DEAD = "-dead";
/** R2 takes one write of an object a second: the consumer's first one should not meet the maker's. */
const FIRST_DELAY_SECONDS = 1;
const LONGEST_DELAY_SECONDS = 86_400;
/** A dead letter has 100 tries in all: enough of them for an outage of the store. */
const DEAD_RETRY_SECONDS = 60;
/** An invocation has 15 minutes. What is left of its batch after this time gets another one. */
const BATCH_MS = 60_000;

/**
 * A queue of Cloudflare Queues. A message has the key only. Cloudflare counts a message's tries, and moves it to the
 * dead-letter queue after the last one. Waiting is no try: a message that is wanted later is a new one.
 */
export function createCloudflareQueue(binding: QueueBinding): {
  queue: Queue;
  consume: Consume;
  handOut: HandOut;
} {
  let consumer: { handle: Parameters<Consume>[0]; atOnce: number } | undefined;

  async function settle(message: Message, isDead: boolean, outcome: Outcome): Promise<void> {
    if (outcome === "done") return message.ack();
    const delaySeconds = Math.min(Math.ceil(outcome.retryAfterSeconds), LONGEST_DELAY_SECONDS);
    // What cannot be ended stays among the dead.
    if (isDead && !outcome.hasEnded)
      return message.retry({ delaySeconds: Math.max(delaySeconds, DEAD_RETRY_SECONDS) });
    try {
      await binding.send(String(message.body), { delaySeconds });
      message.ack();
    } catch {
      message.retry({ delaySeconds });
    }
  }

  return {
    queue: {
      async send(key, write) {
        await write();
        await binding.send(key, { delaySeconds: FIRST_DELAY_SECONDS });
      },
    },
    consume(handle, atOnce) {
      consumer = { handle, atOnce };
      return async () => void (consumer = undefined);
    },
    async handOut({ queue, messages }) {
      if (!consumer) throw new Error("No app of this Worker runs jobs.");
      const { handle, atOnce } = consumer;
      const isDead = queue.endsWith(DEAD);
      const left = [...messages];
      const begun = Date.now();
      async function work(): Promise<void> {
        for (let message = left.shift(); message; message = left.shift()) {
          const isLate = Date.now() - begun > BATCH_MS;
          const tries = isDead ? Infinity : message.attempts;
          const outcome = isLate
            ? { retryAfterSeconds: 0 }
            : await handle(String(message.body), tries);
          await settle(message, isDead, outcome);
        }
      }
      await Promise.all(Array.from({ length: atOnce }, work));
    },
  };
}
