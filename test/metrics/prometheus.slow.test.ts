import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROWS } from "../../infra/panels.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";
import { hasPrometheus } from "../harness/promtool.ts";
import { startPrometheus, type Prometheus } from "../harness/prometheus.ts";
import { withoutVariables } from "../harness/queries.ts";

const TOKEN = "a-token-of-the-metrics";
const LOAD_MS = 25_000;
const KILL_EVERY_MS = 4000;
const CLIENTS = 8;

describe.skipIf(!hasPrometheus)(
  "a real Prometheus, and a server whose processes are killed",
  () => {
    let server: NodeServer;
    let prometheus: Prometheus;
    const sent = { ok: 0, failed: 0, refused: 0 };
    let kills = 0;

    beforeAll(async () => {
      const env = {
        STORE: join(import.meta.dirname, "../../models"),
        WORKERS: "2",
        ACCESS_LOG: "false",
        METRICS_TOKEN: TOKEN,
        PREDICTION_CACHE_TTL_SECONDS: "1",
      };
      server = await startNodeServer({ env });
      prometheus = await startPrometheus(server.url, TOKEN);
      const end = Date.now() + LOAD_MS;
      await Promise.all([
        killAgainAndAgain(end),
        ...Array.from({ length: CLIENTS }, (_, client) => ask(client, end)),
      ]);
      // Two more scrapes.
      await sleep(3000);
    });
    afterAll(async () => {
      await prometheus?.stop();
      await server?.stop();
    });

    async function ask(client: number, end: number): Promise<void> {
      for (let count = 0; Date.now() < end; count++) {
        const isWrong = count % 10 === 0;
        const length = 4 + ((client * 1000 + count) % 40) / 10;
        const response = await server.fetch("/v1/models/iris/predict", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ inputs: isWrong ? [1] : [length, 3.5, 1.4, 0.2] }),
        });
        await response.arrayBuffer();
        if (response.status === 200) sent.ok += 1;
        else if (response.status === 422) sent.refused += 1;
        else sent.failed += 1;
      }
    }

    async function one(query: string): Promise<number> {
      return (await prometheus.query(query))[0]?.value ?? 0;
    }

    async function killAgainAndAgain(end: number): Promise<void> {
      while (Date.now() + KILL_EVERY_MS < end) {
        await sleep(KILL_EVERY_MS);
        const children = await readFile(`/proc/${server.pid}/task/${server.pid}/children`, "utf8");
        const [first] = children.trim().split(" ");
        if (!first) continue;
        process.kill(Number(first), "SIGKILL");
        kills += 1;
      }
    }

    test("no counter begins again, and every scrape succeeds", async () => {
      expect(kills).toBeGreaterThan(2);
      const all = await prometheus.query(
        'count by (__name__) ({__name__=~"nv_.+|.+_total|.+_bucket|.+_count|.+_sum"})',
      );
      const names = all.map(({ labels }) => labels["__name__"] ?? "");
      expect(names).toContain("http_server_request_duration_seconds_bucket");
      for (const name of names) {
        const resets = await prometheus.query(`sum(resets(${name}[5m]))`);
        expect(resets[0]?.value, name).toBe(0);
      }
      expect((await prometheus.query("min_over_time(up[20s])"))[0]?.value).toBe(1);
    });

    test("the counts are those of who asked", async () => {
      expect(sent.ok).toBeGreaterThan(500);
      expect(await one("nv_inference_request_success")).toBe(sent.ok);
      expect(await one("sum(nv_inference_request_failure)")).toBe(sent.refused + sent.failed);
      expect(await one('nearcast_inference_errors_total{code="invalid_input"}')).toBe(sent.refused);
      const predict = 'http_route="/v1/models/:model/predict"';
      const all = sent.ok + sent.refused + sent.failed;
      expect(await one(`sum(nearcast_http_requests_total{${predict}})`)).toBe(all);
      expect(await one(`sum(http_server_request_duration_seconds_count{${predict}})`)).toBe(all);
      expect(await one("nearcast_inference_duration_seconds_count")).toBe(sent.ok);
    });

    const queries = Object.entries(ROWS).flatMap(([row, panels]) =>
      panels.flatMap(({ title, queries }) =>
        queries.map(({ query }) => [row, title, query] as const),
      ),
    );
    // No shipped model has a baseline.
    test.each(queries.filter(([row]) => row !== "Drift"))(
      "%s: %s has series",
      async (_row, _title, query) => {
        expect((await prometheus.query(withoutVariables(query))).length).toBeGreaterThan(0);
      },
    );

    test("Triton's dashboard has its series", async () => {
      for (const query of [
        "sum by (model) (rate(nv_inference_request_success[1m]))",
        "sum(rate(nv_inference_request_failure[1m]))",
        "rate(nv_inference_queue_duration_us[1m]) / 1000",
        "avg by (model, version) (rate(nv_inference_compute_infer_duration_us[1m]) / rate(nv_inference_exec_count[1m]))",
      ])
        expect((await prometheus.query(query)).length, query).toBeGreaterThan(0);
    });
  },
);
