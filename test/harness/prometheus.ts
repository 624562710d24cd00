import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";

import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";

export interface Prometheus {
  /** The value of each series that a query gives now. Throws where Prometheus refuses the query. */
  query: (query: string) => Promise<{ labels: Record<string, string>; value: number }[]>;
  stop: () => Promise<void>;
}

/** Starts a real Prometheus that asks a server for its metrics every second. */
export async function startPrometheus(target: string, token: string): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-prometheus-"));
  const port = await freePort();
  await writeFile(
    join(folder, "prometheus.yml"),
    `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: nearcast
    authorization: { credentials: ${token} }
    static_configs: [{ targets: ["${new URL(target).host}"] }]
`,
  );
  const child = spawn(
    "prometheus",
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: "ignore" },
  );
  const exit = once(child, "exit");
  const url = `http://127.0.0.1:${port}`;
  const isReady = async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok;
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error("Prometheus has ended.");
    await sleep(200);
  }
  return {
    async query(query) {
      const body = new URLSearchParams({ query });
      const answer = await fetch(`${url}/api/v1/query`, { method: "POST", body });
      const { data, error } = (await answer.json()) as {
        error?: string;
        data: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      if (error !== undefined) throw new Error(`${query}: ${error}`);
      return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },
    async stop() {
      child.kill("SIGTERM");
      await exit;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
