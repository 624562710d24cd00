import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createApp } from "../../functions/app.ts";
import type { Handle } from "../../functions/jobs/queue.ts";
import type { Platform } from "../../functions/platform/types.ts";
import { createService } from "../../functions/service.ts";
import { startJobs, useModels } from "./started.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

const SETOSA = [5.1, 3.5, 1.4, 0.2];

const models = useModels();

/** An app without turns, as on Workers, that gets the messages of its jobs from the test. */
async function start() {
  const started = await startJobs({ STORE: models.path });
  onTestFinished(() => started.end());
  const { now: _, ...platform }: Platform = started.platform;
  if (!platform.jobs) throw new Error("There are no jobs.");
  const { store, queue } = platform.jobs;
  let handle: Handle | undefined;
  const sent: string[] = [];
  let release: (() => void) | undefined;
  const isReleased = new Promise<void>((resolve) => (release = resolve));
  const app = createApp(
    createService({
      ...platform,
      store: {
        ...platform.store,
        async get(key, options) {
          if (key === "sentiment/1/model.json") await isReleased;
          return platform.store.get(key, options);
        },
      },
      jobs: {
        store,
        queue: { send: async (key, write) => (sent.push(key), queue.send(key, write)) },
        consume(given) {
          handle = given;
          return async () => {};
        },
      },
    }),
  );
  const post = async (model: string, inputs: unknown, headers: Record<string, string> = {}) =>
    app.request(`/v1/models/${model}/predict`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify({ inputs }),
    });
  return {
    post,
    later: (preference: string) => post("iris", SETOSA, { Prefer: preference }),
    statusOf: async (made: Response) => {
      const job = await app.request(made.headers.get("location") ?? "");
      return ((await job.json()) as { status: string }).status;
    },
    run: async () => handle?.(sent.at(-1) ?? "", 1),
    release: () => release?.(),
  };
}

describe.runIf(hasSqlite)("where there are no turns", () => {
  test("a job begins when no request is being answered", async () => {
    const { post, later, statusOf, run, release } = await start();
    const made = await later("respond-async");
    const request = post("sentiment", "Great phone.");
    await new Promise((resolve) => setTimeout(resolve, 20));
    const running = run();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await statusOf(made)).toBe("queued");
    release();
    expect((await request).status).toBe(200);
    await running;
    expect(await statusOf(made)).toBe("succeeded");
  });

  test("a job begins after some seconds all the same", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const { post, later, statusOf, run, release } = await start();
    const made = await later("respond-async");
    const request = post("sentiment", "Great phone.");
    await new Promise((resolve) => setTimeout(resolve, 20));
    const running = run();
    vi.setSystemTime(Date.now() + 5000);
    await running;
    expect(await statusOf(made)).toBe("succeeded");
    release();
    await request;
  });

  test("a job does not wait for those who wait for it", { timeout: 20_000 }, async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const { later, run } = await start();
    const waiting = later("respond-async, wait=20");
    await new Promise((resolve) => setTimeout(resolve, 200));
    await run();
    expect((await waiting).status).toBe(200);
  });
});
