import { Webhook } from "standardwebhooks";
import { expect, onTestFinished, test } from "vitest";
import { targets } from "../harness/targets.ts";
import { startReceiver } from "./receiver.ts";
import { startJobsOnLambda } from "./started-lambda.ts";

const SECRET = `whsec_${Buffer.from("a".repeat(32)).toString("base64")}`;
const LIMIT_MS = 120_000;

type Fetch = (path: string, init?: { method: string; body?: string }) => Promise<Response>;

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
};

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
    const shown = async (id: string) =>
      ((await (await ask(`/v1/jobs/${id}`)).json()) as { webhook: Record<string, unknown> })
        .webhook;
    for (const refused of ["https://10.0.0.1/", "https://[::1]/", "https://example.com/"])
      expect((await put("refused", refused)).status).toBe(422);
    expect((await put("told", receiver.url)).status).toBe(202);
    await expect
      .poll(() => shown("told"), { timeout: 60_000, interval: 300 })
      .toHaveProperty("delivered_at");
    expect(await shown("told")).toMatchObject({ tries: 2 });
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
