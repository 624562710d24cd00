import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { modelsFolder } from "../test/adversarial/cost/models.ts";
import { startNodeServer } from "../test/harness/node-server.ts";
import { LOAD_CORE, pin, SERVER_CORE } from "./processes.ts";
import type { Table } from "./report.ts";
import { costlyBodies, type Asked } from "./soak-requests.ts";
import { quantile } from "./statistics.ts";

/** How many connections send costly bodies at the same time. 0 is the floor. */
const CONNECTIONS = [0, 1, 4, 16];
const SECONDS = 20;
const EVERY_MS = 10;

/** What `GET /health` of others waits while a few connections send nothing but the costliest bodies, in turn. */
export async function health(): Promise<Table[]> {
  const models = await modelsFolder();
  const env = { STORE: models.folder, DEFAULT_MODEL: "iris", ACCESS_LOG: "false" };
  const server = await startNodeServer({ env });
  pin(server.pid, SERVER_CORE);
  pin(process.pid, LOAD_CORE);
  const bodies = costlyBodies();
  const rows: string[][] = [];
  try {
    // The first of each kind also loads its model.
    const agent = new Agent({ keepAlive: true });
    for (const body of bodies) await ask(agent, server.url, body);
    agent.destroy();
    for (const connections of CONNECTIONS) {
      const waits: number[] = [];
      let sent = 0;
      const end = performance.now() + SECONDS * 1000;
      const client = async (): Promise<void> => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        while (performance.now() < end) {
          const body = bodies[sent++ % bodies.length];
          if (body) await ask(agent, server.url, body);
        }
        agent.destroy();
      };
      const probe = async (): Promise<void> => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        while (performance.now() < end) {
          const start = performance.now();
          await ask(agent, server.url, { path: "/health" });
          waits.push(performance.now() - start);
          await sleep(EVERY_MS);
        }
        agent.destroy();
      };
      await Promise.all([probe(), ...Array.from({ length: connections }, client)]);
      const at = (q: number) => quantile(waits, q).toFixed(1);
      rows.push([
        String(connections),
        String(sent),
        String(waits.length),
        at(0.5),
        at(0.99),
        at(1),
      ]);
    }
  } finally {
    await server.stop();
    await models.remove();
  }
  const note = `${bodies.length} bodies of test/adversarial, each of at most 64 kB, asked in turn for ${SECONDS} s. One more connection asks for /health every ${EVERY_MS} ms; milliseconds as it waits for them.`;
  const columns = ["connections", "costly requests", "asked for /health", "p50", "p99", "longest"];
  return [{ title: "/health beside the costliest bodies", note, columns, rows }];
}

function ask(
  agent: Agent,
  url: string,
  { path, headers, body }: Pick<Asked, "path"> & Partial<Asked>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const method = body ? "POST" : "GET";
    const length = body && { "content-length": body.length };
    const asked = request(new URL(path, url), {
      method,
      agent,
      headers: { ...length, ...headers },
    });
    asked.once("error", reject);
    asked.once("response", (response) => response.resume().once("end", resolve));
    asked.end(body);
  });
}
