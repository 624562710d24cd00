import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";

const hasSqlite = process.getBuiltinModule?.("node:sqlite") !== undefined;
const JOBS = 300;
const KILLS = 30;
const LIMIT_MS = 400_000;

test.runIf(hasSqlite)(
  "a server that is killed 30 times while it runs jobs loses none, and answers each once",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "nearcast-killed-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    let server: NodeServer | undefined;
    onTestFinished(async () => void (await server?.stop()));
    const start = () =>
      startNodeServer({
        env: { STORE: "models", JOBS_FILE: join(folder, "jobs.sqlite"), ACCESS_LOG: "false" },
      });
    const ids = Array.from({ length: JOBS }, (_, index) => `job-${index}`);
    const accepted = new Set<string>();
    for (let kill = 0; kill < KILLS; kill++) {
      server = await start();
      const { pid } = server;
      const rest = ids.filter((id) => !accepted.has(id)).slice(0, JOBS / KILLS);
      const making = Promise.all(
        rest.map(async (id) => {
          const answer = await server?.fetch(`/v1/jobs/${id}`, {
            method: "PUT",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ model: "iris", inputs: [[5.1, 3.5, 1.4, id.length]] }),
          });
          if (answer?.status === 202) accepted.add(id);
        }),
      ).catch(() => {});
      // A kill falls into making jobs, running them, or rest.
      await sleep((kill * 37) % 200);
      process.kill(pid, "SIGKILL");
      await making;
      await server.stop();
    }
    server = await start();
    const states: Record<string, number> = {};
    const end = Date.now() + 120_000;
    for (const id of accepted) {
      for (;;) {
        const answer = await server.fetch(`/v1/jobs/${id}`);
        expect(answer.status).toBe(200);
        const { status } = (await answer.json()) as { status: string };
        if (status !== "queued" && status !== "running") {
          states[status] = (states[status] ?? 0) + 1;
          break;
        }
        if (Date.now() > end) expect.unreachable(`${id} is ${status}`);
        await sleep(100);
      }
      const events = await (await server.fetch(`/v1/jobs/${id}/events`)).text();
      expect(events.match(/"(succeeded|failed)"/g)).toHaveLength(1);
    }
    expect(accepted.size).toBeGreaterThan(JOBS / 4);
    expect(states).toEqual({ succeeded: accepted.size });
  },
  LIMIT_MS,
);

test.runIf(hasSqlite)(
  "1,000 jobs at once are all answered, and requests between them do not wait for them",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "nearcast-many-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const server = await startNodeServer({
      env: { STORE: "models", JOBS_FILE: join(folder, "jobs.sqlite"), ACCESS_LOG: "false" },
    });
    onTestFinished(async () => void (await server.stop()));
    const predict = (headers: Record<string, string> = {}) =>
      server.fetch("/v1/models/iris/predict", {
        method: "POST",
        headers: { "Content-Type": "application/json", ...headers },
        body: '{"inputs":[5.1,3.5,1.4,0.2]}',
      });
    const locations: string[] = [];
    for (let made = 0; made < 1000; made += 100) {
      const all = await Promise.all(
        Array.from({ length: 100 }, () => predict({ Prefer: "respond-async" })),
      );
      for (const answer of all) {
        expect(answer.status).toBe(202);
        locations.push(answer.headers.get("location") ?? "");
      }
      expect((await predict()).status).toBe(200);
    }
    for (const location of locations) {
      for (;;) {
        const answer = await server.fetch(location);
        const { status } = (await answer.json()) as { status: string };
        if (status === "succeeded") break;
        expect(["queued", "running"]).toContain(status);
        await sleep(50);
      }
    }
  },
  LIMIT_MS,
);
