import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";
import { childrenOf } from "../harness/processes.ts";
import { bearer } from "../auth/keys.ts";
import { openRedisPlace, PLACES, type Place } from "./places.ts";

const JOBS = 300;
const KILLS = 30;
/** As many rounds as a busy machine may take to accept jobs between its kills. */
const MOST_ROUNDS = 90;
const LIMIT_MS = 600_000;
const TOKEN = "a-token-of-the-metrics";

const isOpen = (status: string) => status === "queued" || status === "running";

const inputOf = (id: string) => [5.1, 3.5, 1.4, Number(id.slice(4)) / 100];

/** The job's status when it has ended. */
async function endOf(server: NodeServer, path: string, endsAt: number): Promise<string> {
  for (;;) {
    const answer = await server.fetch(path);
    expect(answer.status).toBe(200);
    const { status } = (await answer.json()) as { status: string };
    if (!isOpen(status)) return status;
    if (Date.now() > endsAt) expect.unreachable(`${path} is ${status}`);
    await sleep(100);
  }
}

interface Crashing {
  open: () => Promise<Place>;
  /** Processes of each server that run models. */
  workers: number;
}
const CRASHING: [name: string, Crashing][] = [
  ...PLACES.map(([name, open]): [string, Crashing] => [name, { open, workers: 0 }]),
  // Their processes are found in /proc.
  ...(process.platform === "linux"
    ? [
        ["Redis, with WORKERS", { open: async () => openRedisPlace(), workers: 2 }] as [
          string,
          Crashing,
        ],
      ]
    : []),
];

/** The server itself, or at two of three times one of the processes that run its models. */
async function victimOf(server: NodeServer, kill: number): Promise<number> {
  const children = kill % 3 === 0 ? [] : await childrenOf(server.pid);
  return children[kill % children.length] ?? server.pid;
}

test.for(CRASHING)(
  "processes that are killed 30 times while they run jobs lose none, and answer each once: %s",
  { timeout: LIMIT_MS },
  async ([, { open, workers }]) => {
    const { env: placed, processes, stop } = await open();
    onTestFinished(stop);
    const env = { ...placed, WORKERS: `${workers}` };
    let killedChildren = 0;
    const servers: (NodeServer | undefined)[] = Array.from({ length: processes });
    onTestFinished(
      async () => void (await Promise.all(servers.map(async (server) => server?.stop()))),
    );
    const ids = Array.from({ length: JOBS }, (_, index) => `job-${index}`);
    const accepted = new Set<string>();
    const isEnough = () => accepted.size > JOBS / 4;
    for (let kill = 0; kill < KILLS || (!isEnough() && kill < MOST_ROUNDS); kill++) {
      for (let place = 0; place < processes; place++)
        servers[place] ??= await startNodeServer({ env });
      const place = kill % processes;
      const killed = servers[place] as NodeServer;
      const rest = ids.filter((id) => !accepted.has(id)).slice(0, JOBS / KILLS);
      const making = rest.map(async (id, index) => {
        const answer = await servers[index % processes]?.fetch(`/v1/jobs/${id}`, {
          method: "PUT",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ model: "iris", inputs: [inputOf(id)] }),
        });
        if (answer?.status === 202) accepted.add(id);
      });
      // A kill falls into making jobs, running them, or rest.
      await sleep(((kill * 37) % 200) * Math.ceil((kill + 1) / KILLS));
      const victim = await victimOf(killed, kill);
      process.kill(victim, "SIGKILL");
      await Promise.allSettled(making);
      if (victim === killed.pid) {
        await killed.stop();
        servers[place] = undefined;
      } else killedChildren++;
    }
    const server = (servers[0] ??= await startNodeServer({ env }));
    const states: Record<string, number> = {};
    const end = Date.now() + 300_000;
    for (const id of accepted) {
      const status = await endOf(server, `/v1/jobs/${id}`, end);
      states[status] = (states[status] ?? 0) + 1;
      const events = await (await server.fetch(`/v1/jobs/${id}/events`)).text();
      expect(events.match(/"(succeeded|failed)"/g)).toHaveLength(1);
      const now = await server.fetch("/v1/models/iris/predict", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs: [inputOf(id)] }),
      });
      const result = await server.fetch(`/v1/jobs/${id}/result`);
      expect(await result.text()).toBe(await now.text());
    }
    expect(isEnough(), `${accepted.size} jobs were accepted`).toBe(true);
    expect(killedChildren).toBeGreaterThanOrEqual(workers === 0 ? 0 : KILLS / 3);
    expect(states).toEqual({ succeeded: accepted.size });
  },
);

test.for(PLACES)(
  "10,000 jobs at once are all answered, requests do not wait for them, and memory is bounded: %s",
  { timeout: LIMIT_MS },
  async ([, open]) => {
    const { env, stop } = await open();
    onTestFinished(stop);
    const server = await startNodeServer({ env: { ...env, METRICS_TOKEN: TOKEN } });
    onTestFinished(async () => void (await server.stop()));
    const predict = (headers: Record<string, string> = {}) =>
      server.fetch("/v1/models/iris/predict", {
        method: "POST",
        headers: { "Content-Type": "application/json", ...headers },
        body: '{"inputs":[5.1,3.5,1.4,0.2]}',
      });
    const metrics = async () => {
      const answer = await server.fetch("/metrics", { headers: bearer(TOKEN) });
      return answer.text();
    };
    const residentMb = async () => {
      const [, bytes] = /^process_resident_memory_bytes (\S+)$/m.exec(await metrics()) ?? [];
      return Number(bytes) / 2 ** 20;
    };
    const locations: string[] = [];
    let afterThousand = 0;
    for (let made = 0; made < 10_000; made += 100) {
      const all = await Promise.all(
        Array.from({ length: 100 }, () => predict({ Prefer: "respond-async" })),
      );
      for (const answer of all) {
        expect(answer.status).toBe(202);
        locations.push(answer.headers.get("location") ?? "");
        await answer.arrayBuffer();
      }
      expect((await predict()).status).toBe(200);
      if (locations.length === 1000) afterThousand = await residentMb();
    }
    expect(new Set(locations).size).toBe(10_000);
    let most = await residentMb();
    const end = Date.now() + LIMIT_MS / 2;
    for (const [index, location] of locations.entries()) {
      expect(await endOf(server, location, end)).toBe("succeeded");
      if (index % 1000 === 0) most = Math.max(most, await residentMb());
    }
    // A job's record alone has a kilobyte.
    expect(most).toBeLessThan(1.5 * afterThousand + 64);
    // None has ended twice.
    const counted = 'nearcast_jobs_total{model="iris",version="1",status="succeeded"} 10000\n';
    expect(await metrics()).toContain(counted);
  },
);
