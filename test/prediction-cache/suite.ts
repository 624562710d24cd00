import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StartTarget, Target } from "../harness/targets.ts";

const models = join(import.meta.dirname, "../../models");
let next = 0;

/** Four features that no other test has asked for. */
function newInput(): number[] {
  next += 1;
  return [5 + next / 100, 3.5, 1.4, 0.2];
}

/** What must hold for kept answers on every platform. */
export function predictionCache(start: StartTarget): void {
  let target: Target;
  beforeAll(async () => {
    target = await start({ env: { PREDICTION_CACHE_TTL_SECONDS: "60" } });
    await putVersion("brief", { cache: { ttlSeconds: 2 } });
    await putVersion("never", { cache: { ttlSeconds: 0 } });
  });
  afterAll(() => target.stop());

  async function putVersion(version: string, changes: object): Promise<void> {
    const manifest = JSON.parse(
      await readFile(join(models, "iris/1/model.json"), "utf8"),
    ) as object;
    await target.store.put(
      `iris/${version}/model.onnx`,
      await readFile(join(models, "iris/1/model.onnx")),
    );
    await target.store.put(
      `iris/${version}/model.json`,
      JSON.stringify({ ...manifest, version, ...changes }),
    );
  }

  async function send(path: string, body: unknown, cacheControl?: string) {
    const answer = await target.fetch(path, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        ...(cacheControl && { "Cache-Control": cacheControl }),
      },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    expect(answer.status, text).toBe(200);
    return {
      cache: answer.headers.get("cache-status"),
      body: JSON.parse(text) as { outputs: unknown },
    };
  }

  const predict = (inputs: unknown, cacheControl?: string, version = "1") =>
    send(`/v1/models/iris/versions/${version}/predict`, { inputs }, cacheControl);

  /** Asks until the answer is kept. It is kept after it was sent. */
  async function keep(input: readonly number[], version?: string): Promise<void> {
    await expect
      .poll(async () => (await predict(input, undefined, version)).cache)
      .toBe("nearcast; hit");
  }

  async function statistics() {
    const answer = await target.fetch("/v2/models/iris/versions/1/stats");
    const { model_stats: stats } = (await answer.json()) as {
      model_stats: {
        execution_count: number;
        inference_count: number;
        inference_stats: Record<string, { count: number; ns: number }>;
      }[];
    };
    const found = stats[0];
    const { success, cache_hit: hit, cache_miss: miss } = found?.inference_stats ?? {};
    return {
      executions: found?.execution_count ?? 0,
      inferences: found?.inference_count ?? 0,
      successes: success?.count ?? 0,
      hits: hit?.count ?? 0,
      misses: miss?.count ?? 0,
    };
  }

  test("the same question has the same answer, from what was kept, and another has another", async () => {
    const input = newInput();
    const first = await predict(input);
    expect(first.cache).toBe("nearcast; fwd=miss");
    await keep(input);
    expect((await predict(input)).body).toEqual(first.body);
    const other = await predict([6.3, 3.3, 6, 2.5]);
    expect(other.cache).toBe("nearcast; fwd=miss");
    expect(other.body).not.toEqual(first.body);
  });

  test("what the graph computed is shared by all parameters and dialects", async () => {
    const input = newInput();
    await keep(input);
    const path = "/v1/models/iris/predict";
    const top = await send(path, { inputs: input, parameters: { top_k: 1 } });
    expect(top.cache).toBe("nearcast; hit");
    expect(Object.keys((top.body.outputs as { scores: object }).scores)).toHaveLength(1);
    const tensor = { name: "features", shape: [1, 4], datatype: "FP32", data: input };
    expect((await send("/v2/models/iris/infer", { inputs: [tensor] })).cache).toBe("nearcast; hit");
    expect((await send("/v1/models/iris:predict", { instances: [input] })).cache).toBe(
      "nearcast; hit",
    );
  });

  test("no-store neither reads nor writes; no-cache writes and does not read", async () => {
    const input = newInput();
    expect((await predict(input, "no-store")).cache).toBe("nearcast; fwd=request");
    expect((await predict(input, "max-age=5, No-Cache")).cache).toBe("nearcast; fwd=request");
    await keep(input);
    const unkept = newInput();
    await predict(unkept, "no-store");
    await sleep(200);
    expect((await predict(unkept)).cache).toBe("nearcast; fwd=miss");
  });

  test("an answer is kept for as long as its manifest says, and not at all where it says so", async () => {
    const input = newInput();
    await keep(input, "brief");
    // Sooner than in the deployment's 60 s.
    await expect
      .poll(async () => (await predict(input, undefined, "brief")).cache, {
        interval: 500,
        timeout: 20_000,
      })
      .toBe("nearcast; fwd=miss");
    expect((await predict(input, undefined, "never")).cache).toBeNull();
    expect((await predict(input, undefined, "never")).cache).toBeNull();
  });

  test("hits and misses are counted as Triton counts them", async () => {
    const input = newInput();
    const before = await statistics();
    await predict(input);
    await keep(input);
    const after = await statistics();
    const hits = after.hits - before.hits;
    const misses = after.misses - before.misses;
    expect(hits).toBeGreaterThan(0);
    expect(misses).toBeGreaterThan(0);
    expect(after.executions - before.executions).toBe(misses);
    expect(after.inferences - before.inferences).toBe(misses);
    expect(after.successes - before.successes).toBe(hits + misses);
  });

  test("of many who ask the same at once one is computed", async () => {
    const input = newInput();
    const before = await statistics();
    const answers = await Promise.all(Array.from({ length: 50 }, () => predict(input)));
    const bodies = new Set(answers.map(({ body }) => JSON.stringify(body)));
    expect(bodies.size).toBe(1);
    expect((await statistics()).executions - before.executions).toBe(1);
    expect(answers.filter(({ cache }) => cache === "nearcast; fwd=miss")).toHaveLength(1);
  });

  test("the client that asked first goes away, and the others who ask the same are answered", async () => {
    if (!target.url) return; // Lambda has one client at a time, and it is the service.
    target.store.behave("slow", /sentiment\/1\/model\.onnx$/);
    const impatient = new AbortController();
    const ask = (signal?: AbortSignal) =>
      target.fetch("/v1/models/sentiment/predict", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs: "Great phone." }),
        ...(signal && { signal }),
      });
    const first = ask(impatient.signal);
    await expect.poll(() => target.store.gets()).toContain("sentiment/1/model.onnx");
    const others = Array.from({ length: 10 }, () => ask());
    impatient.abort();
    await expect(first).rejects.toThrow();
    for (const answer of await Promise.all(others)) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get("cache-status")).toMatch(/^nearcast; (hit|fwd=miss)/);
    }
    target.store.behave("ok");
  });
}
