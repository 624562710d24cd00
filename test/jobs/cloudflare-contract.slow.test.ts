import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { Response as TestResponse } from "miniflare";
import { afterAll, beforeAll, describe, onTestFinished, test } from "vitest";
import type { Handle, Outcome } from "../../functions/jobs/queue.ts";
import { deployedQueues } from "../harness/targets.ts";
import { startWorker } from "../harness/worker.ts";
import { queueContract, type QueueUnderTest } from "./queue-contract.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "nearcast-queue-worker-"));
  await build({
    entryPoints: [join(import.meta.dirname, "queue-worker.ts")],
    outdir: directory,
    bundle: true,
    format: "esm",
  });
});
afterAll(() => rm(directory, { recursive: true }));

describe("Cloudflare Queues in workerd, as wrangler.toml has them", () => {
  for (const { name, run } of queueContract(open)) test(name, run);
});

interface OwnConsumer {
  handle: Handle;
  /** Called when it is killed. */
  kills: Set<() => void>;
  handling: Set<Promise<Outcome>>;
}

/** A Worker with queues of its own. Its messages wait while nobody consumes: workerd itself knows no pause. */
async function open(): Promise<QueueUnderTest> {
  let consumers: OwnConsumer[] = [];
  const waiting: (() => void)[] = [];
  const writes = new Map<string, () => Promise<void>>();
  let isInReach = true;

  async function handle(key: string, tries: number): Promise<string> {
    while (consumers.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    // In turn.
    const [consumer, ...others] = consumers as [OwnConsumer, ...OwnConsumer[]];
    consumers = [...others, consumer];
    const outcome = consumer.handle(key, tries);
    consumer.handling.add(outcome);
    const killed = new Promise<"killed">((resolve) => consumer.kills.add(() => resolve("killed")));
    const result = await Promise.race([outcome, killed]);
    consumer.handling.delete(outcome);
    return result === "killed" ? result : JSON.stringify(result);
  }

  async function write(key: string): Promise<string> {
    return (
      writes
        .get(key)?.()
        .then(() => "ok", String) ?? "nothing to write"
    );
  }

  const worker = await startWorker({
    directory,
    compatibilityDate: "2026-10-20",
    queues: await deployedQueues(),
    fetchers: {
      async TEST({ url }) {
        const { pathname, searchParams } = new URL(url);
        const key = searchParams.get("key") ?? "";
        const [, what, tries] = pathname.split("/");
        if (what === "reach") return new TestResponse(isInReach ? "ok" : "down");
        return new TestResponse(await (what === "write" ? write(key) : handle(key, Number(tries))));
      },
    },
  });
  onTestFinished(() => worker.stop());

  return {
    queue: {
      async send(key, toWrite) {
        let failure: unknown;
        writes.set(key, () =>
          toWrite().catch((error: unknown) => {
            failure = error;
            throw error;
          }),
        );
        const answer = await (await worker.fetch(`/?${new URLSearchParams({ key })}`)).text();
        if (answer !== "ok") throw failure ?? new Error(answer);
      },
    },
    consume(given) {
      const consumer: OwnConsumer = { handle: given, kills: new Set(), handling: new Set() };
      consumers.push(consumer);
      for (const resume of waiting.splice(0)) resume();
      const leave = () => void (consumers = consumers.filter((one) => one !== consumer));
      return {
        async stop() {
          leave();
          await Promise.all(consumer.handling);
        },
        kill() {
          leave();
          for (const kill of consumer.kills) kill();
        },
      };
    },
    outOfReach: () => void (isInReach = false),
    backInReach: () => void (isInReach = true),
  };
}
