import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ALERTS, ROWS } from "../../infra/panels.ts";
import { modelsWithBaseline } from "../drift/models-with-baseline.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";
import { hasPrometheus } from "../harness/promtool.ts";
import { startPrometheus, type Prometheus } from "../harness/prometheus.ts";
import { withoutVariables } from "../harness/queries.ts";
import { triedModels } from "../rollout/models.ts";

const SHIPPED = join(import.meta.dirname, "../../models");
const TOKEN = "a-token-of-the-metrics";
const LOAD_MS = 25_000;
const KILL_EVERY_MS = 4000;
const CLIENTS = 8;
/** Calls with outcomes before the first scrape: what is shown of hours and days is read once a minute. */
const JUDGED = 60;
/** Calls whose copies answer some of them otherwise. */
const COPIED = 10;
/** The queries of deploy/k8s-onprem/dashboard.json in Triton's repository (347557a), all of them. */
const TRITON = [
  "count(count(nv_inference_count) by (instance))",
  "sum by (pod) (rate(nv_inference_count[1m])) / ignoring(pod) group_left sum (rate(nv_inference_count[1m]))",
  "sum(nv_inference_request_success) by (pod)",
  "sum(nv_inference_request_failure) by (pod)",
  "sum(rate(nv_inference_compute_infer_duration_us[30s])) by (model) / 1000",
  "avg(rate(nv_inference_queue_duration_us[30s])/(1+rate(nv_inference_request_success[30s]))) by (pod)",
];
/** Jobs, each with a webhook. */
const JOBS = 5;
/** Rows of calls that are captured: more than 512 KiB are written at once. */
const CAPTURED = { calls: 20, rows: 100 };

describe.skipIf(!hasPrometheus)(
  "a real Prometheus, and a server whose processes are killed",
  () => {
    let models: string;
    let server: NodeServer;
    let prometheus: Prometheus;
    let jobs: string;
    let told = 0;
    // It wants no news: each job's webhook is given up.
    const receiver = createServer((_, response) => {
      told += 1;
      response.writeHead(410).end();
    });
    const host = () => `127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    const sent = { ok: 0, failed: 0, refused: 0 };
    let kills = 0;

    beforeAll(async () => {
      models = await judgedModels();
      jobs = await mkdtemp(join(tmpdir(), "nearcast-jobs-"));
      await new Promise<void>((resolve) => void receiver.listen(0, "127.0.0.1", resolve));
      const env = {
        STORE: models,
        JOBS_FILE: join(jobs, "jobs.sqlite"),
        WEBHOOK_HOSTS: host(),
        WEBHOOK_SECRET: `whsec_${Buffer.alloc(32).toString("base64")}`,
        WORKERS: "2",
        ACCESS_LOG: "false",
        METRICS_TOKEN: TOKEN,
        PREDICTION_CACHE_TTL_SECONDS: "1",
      };
      server = await startNodeServer({ env });
      for (let count = 0; count < JUDGED; count++) await judge(count);
      for (let count = 0; count < CAPTURED.calls; count++)
        await predict("iris", Array(CAPTURED.rows).fill(inputsOf.iris));
      prometheus = await startPrometheus(server.url, TOKEN);
      const end = Date.now() + LOAD_MS;
      await Promise.all([
        killAgainAndAgain(end),
        ...Array.from({ length: CLIENTS }, (_, client) => ask(client, end)),
      ]);
      // Copies are made while nobody else is answered.
      for (let count = 0; count < COPIED; count++) {
        await predict("table", [count]);
        await sleep(300);
      }
      for (let count = 0; count < JOBS; count++) await makeJob(`job-${count}`);
      await vi.waitFor(() => expect(told).toBe(JOBS), { timeout: 30_000 });
      // Two more scrapes.
      await sleep(3000);
    });
    afterAll(async () => {
      await prometheus?.stop();
      await server?.stop();
      receiver.close();
      if (jobs) await rm(jobs, { recursive: true });
      if (models) await rm(models, { recursive: true });
    });

    async function predict(model: string, inputs: unknown): Promise<void> {
      const { status } = await server.fetch(`/v1/models/${model}/predict`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs }),
      });
      expect(status).toBe(200);
      sent.ok += 1;
    }

    /** A job of wrong inputs, which fails when it runs. */
    async function makeJob(id: string): Promise<void> {
      const { status } = await server.fetch(`/v1/jobs/${id}`, {
        method: "PUT",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ model: "iris", inputs: [1], webhook: `http://${host()}/` }),
      });
      expect(status).toBe(202);
      sent.refused += 1;
    }

    /** Predicts with both models, and says what really happened. */
    async function judge(count: number): Promise<void> {
      const outcomes = { iris: "setosa", diabetes: 100 + count };
      for (const [model, outcome] of Object.entries(outcomes)) {
        const id = `${model}-${count}`;
        const headers = { "Content-Type": "application/json", "X-Request-Id": id };
        const post = (path: string, body: object) =>
          server.fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
        const inputs = inputsOf[model as keyof typeof inputsOf];
        const { status } = await post(`/v1/models/${model}/predict`, { inputs });
        if (status === 200) sent.ok += 1;
        const given = await post("/v1/feedback", { request_id: id, outcome });
        if (given.status !== 200) throw new Error(await given.text());
      }
    }

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
      expect(await one("sum(nv_inference_request_success)")).toBe(sent.ok);
      expect(await one("sum(nv_inference_request_failure)")).toBe(sent.refused + sent.failed);
      expect(await one('sum(nearcast_inference_errors_total{code="invalid_input"})')).toBe(
        sent.refused,
      );
      const predict = 'http_route="/v1/models/:model/predict"';
      const all = sent.ok + sent.refused + sent.failed;
      expect(await one(`sum(nearcast_http_requests_total{${predict}})`)).toBe(all);
      expect(await one(`sum(http_server_request_duration_seconds_count{${predict}})`)).toBe(all);
      expect(await one("sum(nearcast_inference_duration_seconds_count)")).toBe(sent.ok);
    });

    const queries = Object.entries(ROWS).flatMap(([row, panels]) =>
      panels.flatMap(({ title, queries }) =>
        queries.map(({ query }) => [row, title, query] as const),
      ),
    );
    test.each(queries)("%s: %s has series with numbers", async (_row, _title, query) => {
      const series = await prometheus.query(withoutVariables(query));
      expect(series.length).toBeGreaterThan(0);
      // Models are loaded once, before the first scrape: nothing increases.
      if (query.includes("load_duration")) return;
      expect(series.some(({ value }) => Number.isFinite(value))).toBe(true);
    });

    test("the accuracy of a candidate stands beside stable's", async () => {
      const found = await prometheus.query('nearcast_accuracy{model="iris"}');
      const roles = found.map(({ labels }) => `${labels["version"]} ${labels["role"]}`);
      expect(roles.toSorted()).toEqual(["1 stable", "2 candidate"]);
      expect(found.map(({ value }) => value)).toEqual([1, 1]);
      const outcomes = await prometheus.query('nearcast_outcomes{model="iris"}');
      expect(outcomes.reduce((sum, { value }) => sum + value, 0)).toBe(JUDGED);
    });

    test("what copies answer otherwise, and what was captured, is counted", async () => {
      const copied = await prometheus.query("sum by (version) (nearcast_shadow_copies_total)");
      expect(copied).toEqual([{ labels: { version: "other" }, value: COPIED }]);
      expect(await one("nearcast_shadow_disagreements_total")).toBeGreaterThan(0);
      const written = await prometheus.query("nearcast_captured_lines_total");
      expect(written.map(({ labels }) => [labels["model"], labels["outcome"]])).toContainEqual([
        "iris",
        "written",
      ]);
    });

    // Nothing is shed or dropped here, and neither a load nor a candidate fails.
    const quiet = new Set([
      "NearcastSheds",
      "NearcastLoadFails",
      "NearcastCandidateFails",
      "NearcastCaptureDrops",
    ]);
    test.each(ALERTS.filter(({ name }) => !quiet.has(name)))(
      "the alert $name has something to compare",
      async ({ query }) => {
        const compared = query
          .replace(" offset 7d", "")
          .replace(">= 500", ">= 5")
          .replace(">= 100", ">= 1")
          .replace(/ > [\d.]+/, " >= 0");
        expect((await prometheus.query(compared)).length).toBeGreaterThan(0);
      },
    );

    test.each(TRITON)("Triton's own dashboard has series of %s", async (query) => {
      const series = await prometheus.query(query);
      expect(series.length).toBeGreaterThan(0);
      expect(series.some(({ value }) => value > 0)).toBe(true);
    });
  },
);

const inputsOf = { iris: [5.1, 3.5, 1.4, 0.2], diabetes: [] as unknown[] };

/** Models whose dashboards have all that there is: a baseline, outcomes, calibrated scores, and a candidate. */
async function judgedModels(): Promise<string> {
  const models = await modelsWithBaseline();
  await mkdir(join(models, "diabetes"));
  await cp(join(SHIPPED, "diabetes/1"), join(models, "diabetes/1"), { recursive: true });
  await cp(join(models, "iris/1"), join(models, "iris/2"), { recursive: true });
  for (const [version, feedback] of [
    ["iris/1", { keptSeconds: 3600, calibrated: true }],
    ["iris/2", { keptSeconds: 3600, calibrated: true }],
    ["diabetes/1", { keptSeconds: 3600 }],
  ] as const) {
    const path = join(models, version, "model.json");
    const manifest = JSON.parse(await readFile(path, "utf8")) as { version: string };
    const capture = { rate: 1, redact: [], retentionDays: 1 };
    const kept = version === "diabetes/1" ? { feedback } : { feedback, capture };
    const own = { ...manifest, version: version.split("/")[1], ...kept };
    await writeFile(path, JSON.stringify(own));
  }
  const [heldOut = ""] = (await readFile(join(SHIPPED, "diabetes/heldout.jsonl"), "utf8")).split(
    "\n",
  );
  inputsOf.diabetes = (JSON.parse(heldOut) as { input: unknown[] }).input;
  const { folder, remove } = await triedModels({ stable: "1" });
  await cp(join(folder, "table"), join(models, "table"), { recursive: true });
  await remove();
  const copied = { stable: "1", candidates: [{ version: "other", shadow: 100 }] };
  await writeFile(
    join(models, "table/release.json"),
    JSON.stringify({ schema: 2, revision: 1, salt: "s", ...copied }),
  );
  const candidates = [{ version: "2", percent: 50 }];
  const release = { schema: 2, revision: 1, stable: "1", salt: "s", candidates };
  await writeFile(join(models, "iris/release.json"), JSON.stringify(release));
  await writeFile(join(models, "diabetes/release.json"), JSON.stringify({ stable: "1" }));
  return models;
}
