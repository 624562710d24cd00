import { Webhook } from "standardwebhooks";
import { expect, onTestFinished, test } from "vitest";
import { startNodeServer } from "../harness/node-server.ts";
import { targets } from "../harness/targets.ts";
import { PLACES } from "./places.ts";
import { startReceiver, secretOf } from "./receiver.ts";
import { startJobsOnLambda } from "./started-lambda.ts";

const SECRET = secretOf("a");
const LIMIT_MS = 120_000;

interface Init {
  method: string;
  headers?: Record<string, string>;
  body?: string;
}
type Fetch = (path: string, init?: Init) => Promise<Response>;

const PLATFORMS: Record<string, (env: Record<string, string>) => Promise<Fetch>> = {
  async Workers(env) {
    const worker = await targets.worker({ queues: true, env });
    onTestFinished(() => worker.stop());
    return worker.fetch;
  },
  async Lambda(env) {
    const { ask, work } = await startJobsOnLambda({ env });
    work();
    return ask;
  },
  ...Object.fromEntries(
    PLACES.map(([name, open]) => [
      `Node with ${name}`,
      async (env) => {
        const place = await open();
        onTestFinished(place.stop);
        const server = await startNodeServer({ env: { ...place.env, ...env } });
        onTestFinished(async () => void (await server.stop()));
        return (path, init) => server.fetch(path, init);
      },
    ]),
  ),
};

/** Waits until the webhook has been told. */
async function told(ask: Fetch, path: string): Promise<Record<string, unknown>> {
  const shown = async () =>
    ((await (await ask(path)).json()) as { webhook: Record<string, unknown> }).webhook;
  await expect.poll(shown, { timeout: 90_000, interval: 300 }).toHaveProperty("delivered_at");
  return shown();
}

test.for(Object.entries(PLATFORMS))(
  "%s tells webhooks of batches, again where they fail at first",
  { timeout: LIMIT_MS },
  async ([, start]) => {
    const receiver = await startReceiver({ statuses: [500] });
    const ask = await start({ WEBHOOK_HOSTS: receiver.host, WEBHOOK_SECRET: SECRET });
    const put = (id: string) =>
      ask(`/v1/batches/${id}?model=iris`, {
        method: "PUT",
        headers: { "Content-Type": "text/csv", "X-Nearcast-Webhook": receiver.url },
        body: "5.1,3.5,1.4,0.2\n",
      });
    expect((await put("answered")).status).toBe(202);
    expect(await told(ask, "/v1/batches/answered")).toMatchObject({ tries: 2 });
    const [first, second] = receiver.received;
    expect(receiver.received).toHaveLength(2);
    expect(first?.headers["webhook-id"]).toBe(second?.headers["webhook-id"]);
    const { body = "", headers = {} } = second ?? {};
    expect(new Webhook(SECRET).verify(body, headers as Record<string, string>)).toMatchObject({
      type: "batch.succeeded",
      data: { id: "answered", location: "/v1/batches/answered" },
    });
    // No message of its own has to come for one that a request has ended.
    expect((await put("canceled")).status).toBe(202);
    await ask("/v1/batches/canceled/cancel", { method: "POST" });
    await told(ask, "/v1/batches/canceled");
  },
);

test.for(Object.entries(PLATFORMS))(
  "%s tells webhooks of jobs, again where they fail at first, and follows no redirect",
  { timeout: LIMIT_MS },
  async ([, start]) => {
    const elsewhere = await startReceiver();
    const receiver = await startReceiver({
      statuses: [302],
      headers: { Location: elsewhere.url },
    });
    const ask = await start({ WEBHOOK_HOSTS: receiver.host, WEBHOOK_SECRET: SECRET });
    const put = (id: string, webhook: string) =>
      ask(`/v1/jobs/${id}`, {
        method: "PUT",
        body: JSON.stringify({ model: "iris", inputs: [5.1, 3.5, 1.4, 0.2], webhook }),
      });
    for (const refused of ["https://10.0.0.1/", "https://[::1]/", "https://example.com/"])
      expect((await put("refused", refused)).status).toBe(422);
    expect((await put("told", receiver.url)).status).toBe(202);
    expect(await told(ask, "/v1/jobs/told")).toMatchObject({ tries: 2 });
    expect(elsewhere.received).toEqual([]);
    expect(receiver.received).toHaveLength(2);
    const [first, second] = receiver.received;
    expect(first?.headers["webhook-id"]).toBe(second?.headers["webhook-id"]);
    const { body = "", headers = {} } = second ?? {};
    expect(new Webhook(SECRET).verify(body, headers as Record<string, string>)).toMatchObject({
      type: "job.succeeded",
      data: { id: "told", location: "/v1/jobs/told" },
    });
  },
);
