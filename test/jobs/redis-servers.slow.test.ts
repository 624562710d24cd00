import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { startNodeServer } from "../harness/node-server.ts";
import { startRedis } from "../harness/redis-server.ts";
import { startOverS3, type Target } from "../harness/targets.ts";
import { jobFiles, openRedisPlace } from "./places.ts";

type Server = Pick<Target, "fetch">;

const MINUTES_MS = 60_000;
const isOpen = (status: string) => status === "queued" || status === "running";

async function start(env: Record<string, string>) {
  const server = await startNodeServer({ env });
  onTestFinished(async () => void (await server.stop()));
  return server;
}

function put(server: Server, id: string, inputs = [5.1, 3.5, 1.4, 0.2]) {
  return server.fetch(`/v1/jobs/${id}`, {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ model: "iris", inputs }),
  });
}

async function endOf(server: Server, id: string): Promise<string> {
  for (const endsAt = Date.now() + 120_000; ;) {
    const answer = await server.fetch(`/v1/jobs/${id}`);
    expect(answer.status).toBe(200);
    const { status } = (await answer.json()) as { status: string };
    if (!isOpen(status)) return status;
    if (Date.now() > endsAt) expect.unreachable(`${id} is ${status}`);
    await sleep(100);
  }
}

test.for(["down", "stall"] as const)(
  "while Redis is %s no job is made, and nothing of it is there; those before run afterwards",
  async (behaviour) => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const { env } = await openRedisPlace(redis.url);
    const server = await start({ ...env, JOB_CONCURRENCY: "1" });
    const before = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => (await put(server, `before-${index}`)).status),
    );
    expect(new Set(before)).toEqual(new Set([202]));
    redis.behave(behaviour);
    const refused = await put(server, "refused");
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ code: "overloaded" });
    expect((await server.fetch("/v1/jobs/refused")).status).toBe(404);
    const files = await jobFiles(env);
    expect(files.filter((file) => file.endsWith("job.json"))).toHaveLength(40);
    redis.behave("ok");
    for (let index = 0; index < 40; index++)
      expect(await endOf(server, `before-${index}`)).toBe("succeeded");
    expect((await put(server, "refused")).status).toBe(202);
    expect(await endOf(server, "refused")).toBe("succeeded");
    // Those that have ended keep their answers only.
    const left = await jobFiles(env);
    expect(left.filter((file) => file.includes("input-"))).toEqual([]);
  },
);

test("consumers whose clocks differ by twenty minutes answer each job once", async () => {
  const { env, stop } = await openRedisPlace();
  onTestFinished(stop);
  const preload = new URL("./skewed-clock.js", import.meta.url).href;
  const servers = await Promise.all(
    [-10, 10].map((minutes) =>
      start({
        ...env,
        NODE_OPTIONS: `--import=${preload}`,
        CLOCK_WRONG_BY_MS: `${minutes * MINUTES_MS}`,
      }),
    ),
  );
  const ids = Array.from({ length: 100 }, (_, index) => `skewed-${index}`);
  const at = (index: number) => servers[index % 2] as Server;
  const made = ids.map(async (id, index) => (await put(at(index), id)).status);
  expect(new Set(await Promise.all(made))).toEqual(new Set([202]));
  const ran: number[] = [];
  for (const [index, id] of ids.entries()) {
    expect(await endOf(at(index + 1), id)).toBe("succeeded");
    const { started_at: started } = (await (await at(0).fetch(`/v1/jobs/${id}`)).json()) as {
      started_at: string;
    };
    ran.push(new Date(started).getTime() > Date.now() ? 1 : 0);
    const events = await (await at(index).fetch(`/v1/jobs/${id}/events`)).text();
    expect(events.match(/"(succeeded|failed)"/g)).toHaveLength(1);
  }
  // Both have run some.
  expect(new Set(ran)).toEqual(new Set([0, 1]));
});

/** Two servers that share a bucket and a Redis. */
async function startOverBucket() {
  const { env, stop } = await openRedisPlace();
  onTestFinished(stop);
  let servers: Awaited<ReturnType<typeof startNodeServer>>[] = [];
  const { STORE: _, ...rest } = env;
  const target = await startOverS3({ env: rest }, async (overS3) => {
    servers = await Promise.all([0, 1].map(() => startNodeServer({ env: overS3 })));
    return {
      fetch: (path, init) => (servers[0] as Server).fetch(path, init),
      logs: () => servers.map(({ logs }) => logs).join(""),
      stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
    };
  });
  onTestFinished(() => target.stop());
  const [one, other] = servers;
  if (!one || !other) throw new Error("There are no servers.");
  return { one, other, store: target.store, logs: target.logs };
}

test.for([
  ["down", "what is answered", /^\.jobs\/.*\/answer-/],
  ["stall", "what is answered", /^\.jobs\/.*\/answer-/],
  ["down", "the jobs", /^\.jobs\/.*\/job\.json$/],
] as const)(
  "a bucket that is %s for %s while results are written: all are answered once",
  async ([behaviour, , keys]) => {
    const { one, other, store, logs } = await startOverBucket();
    const ids = Array.from({ length: 60 }, (_, index) => `job-${index}`);
    const making = ids.map(async (id) => (await put(one, id)).status);
    expect(new Set(await Promise.all(making))).toEqual(new Set([202]));
    store?.behave(behaviour, keys);
    await sleep(4000);
    store?.behave("ok");
    for (const id of ids) {
      expect(await endOf(other, id)).toBe("succeeded");
      const events = await (await other.fetch(`/v1/jobs/${id}/events`)).text();
      expect(events.match(/"(succeeded|failed)"/g)).toHaveLength(1);
      expect((await one.fetch(`/v1/jobs/${id}/result`)).status).toBe(200);
      expect((await one.fetch(`/v1/jobs/${id}`, { method: "DELETE" })).status).toBe(200);
    }
    expect(await store?.texts(".jobs/")).toEqual(new Map());
    expect(logs()).toContain("a job waits for its store");
  },
);

test("with a bucket, two servers share jobs, and no job is a model", async () => {
  const { one, other } = await startOverBucket();
  for (let index = 0; index < 20; index++)
    expect((await put(one, `shared-${index}`)).status).toBe(202);
  for (let index = 0; index < 20; index++)
    expect(await endOf(other, `shared-${index}`)).toBe("succeeded");
  expect((await other.fetch("/v1/models/.jobs")).status).toBe(404);
  const listed = (await (await other.fetch("/v1/models")).json()) as object;
  expect(JSON.stringify(listed)).not.toContain(".jobs");
  const answer = await other.fetch("/v1/jobs/shared-0", { method: "DELETE" });
  expect(answer.status).toBe(200);
  expect((await one.fetch("/v1/jobs/shared-0")).status).toBe(404);
});
