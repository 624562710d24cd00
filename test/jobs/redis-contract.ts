import { openRedis, type Redis } from "../../functions/platform/redis.ts";
import { createRedisQueue } from "../../functions/platform/queue/redis.ts";
import type { QueueUnderTest } from "./queue-contract.ts";

const TIMES = { leaseMs: 600, writingMs: 2000 };

/** A queue of its own in this Redis. */
export function redisQueueAt(url: string, bounds: { mostWaiting?: number } = {}): QueueUnderTest {
  const name = crypto.randomUUID();
  const sender = connect(url, name, bounds);
  return {
    queue: sender.queue,
    consume(handle) {
      const { consume, lever } = connect(url, name);
      return { stop: consume(handle, 2), kill: () => void (lever.state = "dead") };
    },
    outOfReach: () => void (sender.lever.state = "out of reach"),
    backInReach: () => void (sender.lever.state = "ok"),
  };
}

/** As a process has it that shares the Redis with others. */
function connect(url: string, name: string, bounds: { mostWaiting?: number } = {}) {
  const lever: { state: "ok" | "out of reach" | "dead" } = { state: "ok" };
  const redis = openRedis(url);
  const through: Redis = (work) => {
    if (lever.state === "dead") return new Promise(() => {});
    if (lever.state === "out of reach") return Promise.reject(new Error("connection refused"));
    return redis(work);
  };
  return {
    ...createRedisQueue(
      through,
      async () => name,
      () => {},
      { ...TIMES, ...bounds },
    ),
    lever,
  };
}
