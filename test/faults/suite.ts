import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { StartTarget, Target, TargetOptions } from "../harness/targets.ts";

const models = join(import.meta.dirname, "../../models");
const iris = { inputs: [5.1, 3.5, 1.4, 0.2] };
const irisArtifact = "iris/1/model.onnx";

/** What must hold on a runtime when its store, its memory or its clients fail. */
export function faults(start: StartTarget): void {
  let running: Target | undefined;
  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });

  async function begin(options: TargetOptions = {}): Promise<Target> {
    running = await start(options);
    return running;
  }

  test("an artifact that is truncated or garbled is never run, and serves once it is whole", async () => {
    const target = await begin();
    for (const behaviour of ["truncate", "garbage"] as const) {
      target.store.behave(behaviour, /model\.onnx$/);
      await expectProblem(await predict(target), 502, "model_corrupt", /sha256/);
    }
    target.store.behave("ok");
    await expectSetosa(target);
  });

  test("an artifact with one byte changed is refused by its digest", async () => {
    const target = await begin();
    const bytes = await readFile(join(models, irisArtifact));
    bytes.writeUInt8(bytes.readUInt8(1000) ^ 1, 1000);
    await target.store.put(irisArtifact, bytes);
    await expectProblem(await predict(target), 502, "model_corrupt", /sha256/);
  });

  test("a version without its artifact says so", async () => {
    const target = await begin();
    await target.store.put("iris/2/model.json", await editedManifest({ version: "2" }));
    const answer = await predict(target, "/v1/models/iris/versions/2/predict");
    await expectProblem(answer, 502, "model_corrupt", /no file model\.onnx/);
    await expectSetosa(target);
  });

  test("manifests that are no JSON, miss a field, have one too many, or name another model", async () => {
    const target = await begin();
    const manifests = [
      "{",
      "null",
      await editedManifest({ task: "fortune-telling" }),
      await editedManifest({ artifact: undefined }),
      await editedManifest({ colour: "red" }),
      await editedManifest({ name: "digits" }),
      await editedManifest({ features: undefined }),
      await editedManifest({
        artifact: { file: "../1/model.onnx", sha256: "0".repeat(64), bytes: 1 },
      }),
    ];
    for (const [index, manifest] of manifests.entries()) {
      const version = `bad${index}`;
      await target.store.put(`iris/${version}/model.json`, manifest.replace('"1"', `"${version}"`));
      const answer = await predict(target, `/v1/models/iris/versions/${version}/predict`);
      await expectProblem(answer, 502, "model_corrupt", /model\.json/);
    }
    await target.store.put("broken/release.json", '{"stable": 1}');
    const answer = await predict(target, "/v1/models/broken/predict");
    await expectProblem(answer, 502, "model_corrupt", /release\.json/);
    const list = (await (await target.fetch("/v1/models")).json()) as {
      models: { name: string }[];
    };
    expect(list.models.map(({ name }) => name)).toContain("iris");
    await expectSetosa(target);
  });

  test("a release of a version that is not there is the publisher's mistake, not the client's", async () => {
    const target = await begin();
    await target.store.put("iris/release.json", '{"stable": "77"}');
    await expectProblem(await predict(target), 502, "model_corrupt", /version 77/);
    await target.store.put("iris/77/model.onnx", await readFile(join(models, irisArtifact)));
    await target.store.put("iris/77/model.json", await editedManifest({ version: "77" }));
    await expectSetosa(target);
  });

  test("an x- field in a manifest is the publisher's own", async () => {
    const target = await begin();
    await target.store.put(
      "iris/2/model.json",
      await editedManifest({ version: "2", "x-team": "ml" }),
    );
    await target.store.put("iris/2/model.onnx", await readFile(join(models, irisArtifact)));
    const answer = await predict(target, "/v1/models/iris/versions/2/predict");
    expect([answer.status, answer.headers.get("x-model-version")]).toEqual([200, "2"]);
  });

  test("a store that is down at cold start is 503 with Retry-After, and then serves", async () => {
    const target = await begin();
    for (const behaviour of ["down", "forbidden"] as const) {
      target.store.behave(behaviour);
      const answer = await predict(target);
      expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
      await expectProblem(answer, 503, "store_unavailable", /iris/);
      await expectProblem(await target.fetch("/ready"), 503, "store_unavailable", /./);
      expect((await target.fetch("/health")).status).toBe(200);
    }
    target.store.behave("ok");
    await expectSetosa(target);
  });

  test("a store that goes down or stalls after warm-up changes nothing for loaded models", async () => {
    const target = await begin({ env: { RELEASE_TTL_SECONDS: "0", STORE_TIMEOUT_MS: "2000" } });
    await expectSetosa(target);
    for (const behaviour of ["down", "stall"] as const) {
      target.store.behave(behaviour);
      await expectSetosa(target);
      expect(await (await target.fetch("/ready")).json()).toEqual({
        status: "ready",
        store: "unreachable",
      });
    }
  });

  test("however many probes ask, the store is asked once a second; that it failed or recovered shows", async () => {
    const target = await begin();
    const probe = async (path: string) => {
      const answer = await target.fetch(path);
      await answer.arrayBuffer();
      return answer.status;
    };
    const began = performance.now();
    for (let round = 0; round < 10; round++) {
      const probes = ["/ready", "/ping", "/v2/health/ready"].flatMap((path) => [path, path]);
      expect(new Set(await Promise.all(probes.map(probe)))).toEqual(new Set([200]));
    }
    const seconds = (performance.now() - began) / 1000;
    expect(target.store.heads()).toBeGreaterThan(0);
    expect(target.store.heads()).toBeLessThanOrEqual(1 + seconds);
    for (const [behaviour, status] of [
      ["down", 503],
      ["ok", 200],
    ] as const) {
      target.store.behave(behaviour);
      await expect.poll(() => probe("/ready"), { timeout: 2500 }).toBe(status);
    }
  });

  test("a store that stalls, at the answer or in the body, is a bounded wait", async () => {
    const target = await begin({ env: { STORE_TIMEOUT_MS: "2000" } });
    for (const behaviour of ["stall", "slow-body"] as const) {
      target.store.behave(behaviour);
      await expectProblem(await predict(target), 503, "store_unavailable", /./);
    }
    target.store.behave("ok");
    await expectSetosa(target);
  });

  test("50 requests at once against a cold model fetch its artifact once", async () => {
    const target = await begin();
    const answers = await Promise.all(Array.from({ length: 50 }, () => predict(target)));
    for (const answer of answers) expect(await labelOf(answer)).toBe("setosa");
    for (const key of [irisArtifact, "iris/1/model.json", "iris/release.json"])
      expect(target.store.gets().filter((got) => got === key)).toHaveLength(1);
  });

  test("the client that began the cold load goes away, and the others are answered", async () => {
    const target = await begin();
    if (!target.url) return; // Lambda has one client at a time, and it is the service.
    target.store.behave("slow", /model\.onnx$/);
    const impatient = new AbortController();
    const first = predict(target, undefined, impatient.signal);
    await artifactAsked(target);
    const others = Array.from({ length: 10 }, () => predict(target));
    impatient.abort();
    await expect(first).rejects.toThrow();
    for (const answer of await Promise.all(others)) expect(await labelOf(answer)).toBe("setosa");
    expect(target.store.gets().filter((key) => key === irisArtifact)).toHaveLength(1);
  });

  test("a budget smaller than two models evicts, and both keep answering", async () => {
    const target = await begin({ env: { SESSION_BUDGET_MB: "0.2" } });
    const text = { inputs: "Great phone." };
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all([
        predict(target),
        post(target, "/v1/models/sentiment/predict", text),
        predict(target),
        post(target, "/v1/models/sentiment/predict", text),
      ]);
      const labels = await Promise.all(answers.map(labelOf));
      expect(labels).toEqual(["setosa", "positive", "setosa", "positive"]);
    }
    // What was evicted came back from the local tier: the Cache API, /tmp, the cache folder.
    for (const key of [irisArtifact, "sentiment/1/model.onnx"])
      expect(target.store.gets().filter((got) => got === key)).toHaveLength(1);
  });

  test("a model larger than the whole budget is refused with the figures", async () => {
    const target = await begin({ env: { SESSION_BUDGET_MB: "0.01" } });
    await expectProblem(await predict(target), 507, "model_too_large", /65573 bytes/);
    expect(target.store.gets()).not.toContain(irisArtifact);
  });

  test("a released version shows within its time to live, and a rollback too", async () => {
    const target = await begin({ env: { RELEASE_TTL_SECONDS: "0" } });
    await expectSetosa(target);
    await target.store.put("iris/2/model.onnx", await readFile(join(models, irisArtifact)));
    await target.store.put("iris/2/model.json", await editedManifest({ version: "2" }));
    for (const version of ["2", "1"]) {
      await target.store.put("iris/release.json", JSON.stringify({ stable: version }));
      expect((await predict(target)).headers.get("x-model-version")).toBe(version);
    }
  });

  test("a release.json that is damaged later leaves the last good release in place", async () => {
    const target = await begin({ env: { RELEASE_TTL_SECONDS: "0" } });
    await expectSetosa(target);
    await target.store.put("iris/release.json", '{"stab');
    await expectSetosa(target);
  });

  test("a cold process over the same store answers the same", async () => {
    const target = await begin();
    await expectSetosa(target);
    await target.restart();
    await expectSetosa(target);
  });
}

function predict(target: Target, path = "/v1/models/iris/predict", signal?: AbortSignal) {
  return post(target, path, iris, signal);
}

function post(target: Target, path: string, body: unknown, signal?: AbortSignal) {
  return target.fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
}

async function artifactAsked(target: Target): Promise<void> {
  await expect.poll(() => target.store.gets()).toContain(irisArtifact);
}

async function expectSetosa(target: Target): Promise<void> {
  expect(await labelOf(await predict(target))).toBe("setosa");
}

async function labelOf(answer: Response): Promise<string> {
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  return (JSON.parse(text) as { outputs: { label: string } }).outputs.label;
}

async function expectProblem(answer: Response, status: number, code: string, detail: RegExp) {
  const body = (await answer.json()) as { detail: string };
  expect({ ...body, status: answer.status }).toMatchObject({ status, code });
  expect(body.detail).toMatch(detail);
}

async function editedManifest(changes: Record<string, unknown>): Promise<string> {
  const manifest = await readFile(join(models, "iris/1/model.json"), "utf8");
  return JSON.stringify({ ...(JSON.parse(manifest) as object), ...changes });
}
