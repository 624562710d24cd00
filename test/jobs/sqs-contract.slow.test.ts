import { beforeAll, describe, onTestFinished, test, vi } from "vitest";
import { createSqsQueue } from "../../functions/platform/queue/sqs.ts";
import { KEYS } from "../harness/dynamodb.ts";
import { startEventSource } from "../../cli/local/event-source.ts";
import { startSqs } from "../../cli/local/sqs-server.ts";
import { queueContract, type QueueUnderTest } from "./queue-contract.ts";

beforeAll(() => {
  for (const [name, value] of Object.entries(KEYS)) vi.stubEnv(name, value);
  return () => void vi.unstubAllEnvs();
});

describe("SQS", () => {
  for (const { name, run } of queueContract(open)) test(name, run);
});

async function open(): Promise<QueueUnderTest> {
  const sqs = await startSqs({ visibilitySeconds: 2 });
  onTestFinished(() => sqs.close());
  const connect = () => createSqsQueue(sqs.url("jobs"), () => {});
  return {
    queue: connect().queue,
    consume(handle) {
      const { consume, handOut } = connect();
      consume(handle, 1);
      const { stop, leave } = startEventSource({
        queues: [sqs.url("jobs"), sqs.url("dead-jobs")],
        invoke: (event) => handOut(event, () => true),
      });
      return { stop, kill: leave };
    },
    outOfReach: () => void (sqs.behaviour = "down"),
    backInReach: () => void (sqs.behaviour = "ok"),
  };
}
