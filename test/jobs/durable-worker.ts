import { env, withEnv } from "cloudflare:workers";
import { createApp } from "../../functions/app.ts";
import { createCloudflarePlatform } from "../../functions/cloudflare.ts";
import type { QueueBatch, QueueBinding } from "../../functions/platform/queue/cloudflare.ts";
import { createService } from "../../functions/service.ts";

export { ModelState } from "../../functions/cloudflare.ts";

const { JOBS, LEDGER } = env as unknown as {
  JOBS: QueueBinding;
  LEDGER: { fetch(url: string): Promise<Response> };
};

async function note(what: "sent" | "acknowledged", message: string): Promise<void> {
  await LEDGER.fetch(`http://ledger/${what}?${new URLSearchParams({ message })}`);
}

/** Cloudflare has stored a message when `send` resolves. */
const stored: QueueBinding = {
  async send(message, options) {
    await note("sent", message);
    return JOBS.send(message, options);
  },
};
const platform = withEnv({ ...env, JOBS: stored }, () => createCloudflarePlatform());
const app = createApp(createService(platform));

/**
 * The whole service, whose messages the test knows: workerd keeps its queues in memory, and Cloudflare keeps them. What is
 * asked of `/again` is sent as a message that is known already.
 */
export default {
  async fetch(...given: Parameters<typeof app.fetch>): Promise<Response> {
    const { pathname, searchParams } = new URL(given[0].url);
    if (pathname !== "/again") return app.fetch(...given);
    await JOBS.send(searchParams.get("message") ?? "", { delaySeconds: 0 });
    return new Response("ok");
  },
  async queue({ queue, messages }: QueueBatch): Promise<void> {
    const done: string[] = [];
    const noted = messages.map((message) => ({
      body: message.body,
      attempts: message.attempts,
      ack() {
        message.ack();
        done.push(String(message.body));
      },
      retry: (options: { delaySeconds: number }) => message.retry(options),
    }));
    await platform.queue({ queue, messages: noted });
    for (const message of done) await note("acknowledged", message);
  },
};
