import type { Outcome } from "../../functions/jobs/queue.ts";
import {
  createCloudflareQueue,
  type QueueBatch,
  type QueueBinding,
} from "../../functions/platform/queue/cloudflare.ts";

interface Env {
  JOBS: QueueBinding;
  /** The test's process: what handlers say, and what is written. */
  TEST: { fetch(url: string): Promise<Response> };
}

/** A Worker with the queue under test. Its handlers and what it writes are in the test's process. */
export default {
  async fetch(request: Request, { JOBS, TEST }: Env): Promise<Response> {
    const key = new URL(request.url).searchParams.get("key") ?? "";
    const binding: QueueBinding = {
      async send(...message) {
        if ((await ask(TEST, "reach", key)) !== "ok") throw new Error("out of reach");
        return JOBS.send(...message);
      },
    };
    try {
      await createCloudflareQueue(binding).queue.send(key, async () => {
        const written = await ask(TEST, "write", key);
        if (written !== "ok") throw new Error(written);
      });
      return new Response("ok");
    } catch (error) {
      return new Response(error instanceof Error ? error.message : String(error));
    }
  },
  async queue(batch: QueueBatch, { JOBS, TEST }: Env): Promise<void> {
    const { consume, handOut } = createCloudflareQueue(JOBS);
    consume(async (key, tries) => {
      const outcome = await ask(TEST, `handle/${tries}`, key);
      if (outcome === "killed") throw new Error("the isolate ends");
      return JSON.parse(outcome) as Outcome;
    }, 1);
    await handOut(batch);
  },
};

async function ask(test: Env["TEST"], what: string, key: string): Promise<string> {
  return (await test.fetch(`http://test/${what}?${new URLSearchParams({ key })}`)).text();
}
