import { Hono } from "hono";
import { createApp } from "../../functions/app.ts";
import { createCloudflarePlatform } from "../../functions/cloudflare.ts";
import type { QueueBatch } from "../../functions/platform/queue/cloudflare.ts";
import { createService } from "../../functions/service.ts";

export { ModelState } from "../../functions/cloudflare.ts";

const platform = createCloudflarePlatform();
const app = new Hono().route("/ml", createApp(createService(platform)));

interface Env {
  FATE: { fetch(url: string): Promise<Response> };
}

/** An application's own Worker. The test decides which of its invocations by the queue die: `before` or `after` the job. */
export default {
  fetch: app.fetch,
  async queue(batch: QueueBatch, env: Env): Promise<void> {
    const fate = await (await env.FATE.fetch(`http://fate/${batch.queue}`)).text();
    if (fate === "before") throw new Error("the isolate ends");
    // What was acknowledged is lost with the invocation that did it, too.
    const messages = batch.messages.map(({ body, attempts }) => ({
      body,
      attempts,
      ack: () => {},
      retry: () => {},
    }));
    await platform.queue(fate === "after" ? { queue: batch.queue, messages } : batch);
    if (fate === "after") throw new Error("the isolate ends");
  },
};
