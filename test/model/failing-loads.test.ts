import { createHash } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createApp } from "../../functions/app.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import type { Platform } from "../../functions/platform/types.ts";
import { createService } from "../../functions/service.ts";

const models = join(import.meta.dirname, "../../models");

let store: string;
beforeEach(async () => {
  store = await mkdtemp(join(tmpdir(), "nearcast-failing-"));
  await cp(join(models, "iris"), join(store, "iris"), { recursive: true });
  await cp(join(models, "iris"), join(store, "broken"), { recursive: true });
  // The bytes match the manifest, but are not a model.
  const artifact = Buffer.alloc(60_000, 7);
  await writeFile(join(store, "broken/1/model.onnx"), artifact);
  const manifest = JSON.parse(await readFile(join(store, "iris/1/model.json"), "utf8")) as Manifest;
  const sha256 = createHash("sha256").update(artifact).digest("hex");
  await writeFile(
    join(store, "broken/1/model.json"),
    JSON.stringify({
      ...manifest,
      name: "broken",
      artifact: { file: "model.onnx", sha256, bytes: artifact.byteLength },
    }),
  );
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(store, { recursive: true });
});

/** A service whose budget has no room for both models, and how often it loaded each. */
function open(changes: Partial<Platform>) {
  const node = createNodePlatform({
    STORE: store,
    ACCESS_LOG: "false",
    // One artifact fits. The second does not fit beside it.
    SESSION_BUDGET_MB: "0.07",
  });
  const loads = { good: 0, broken: 0 };
  const platform: Platform = {
    ...node,
    ...changes,
    async runtime() {
      const runtime = await node.runtime();
      return {
        ...runtime,
        load(artifact, externalData) {
          const isBroken = "bytes" in artifact && artifact.bytes[0] === 7;
          loads[isBroken ? "broken" : "good"] += 1;
          return runtime.load(artifact, externalData);
        },
      };
    },
  };
  const app = createApp(createService(platform));
  async function predict(model: string): Promise<number> {
    const response = await app.request(`/v1/models/${model}/predict`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }),
    });
    return response.status;
  }
  return { loads, predict };
}

test("a model that cannot load costs another neither its session nor a load", async () => {
  const { loads, predict } = open({ availableBytes: () => 1e9 });
  expect(await predict("iris")).toBe(200);
  for (let turn = 0; turn < 5; turn++) {
    expect(await predict("broken")).toBe(502);
    expect(await predict("iris")).toBe(200);
  }
  expect(loads).toEqual({ good: 1, broken: 1 });
});

test("without memory for both, the one that cannot load takes the other's place once in a while, not each time", async () => {
  const { loads, predict } = open({ availableBytes: () => 0 });
  expect(await predict("iris")).toBe(200);
  for (let turn = 0; turn < 5; turn++) {
    expect(await predict("broken")).toBe(502);
    expect(await predict("iris")).toBe(200);
  }
  expect(loads).toEqual({ good: 2, broken: 1 });
});

test("a failed load is tried again after a while, and a failure of the store at once", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  let isDown = false;
  const { loads, predict } = open({
    artifacts: {
      get: async () => undefined,
      put: async (_sha256, bytes) => {
        if (isDown) throw new Error("the store is down");
        return { bytes };
      },
    },
  });
  expect(await predict("broken")).toBe(502);
  vi.advanceTimersByTime(5000);
  expect(await predict("broken")).toBe(502);
  expect(loads.broken).toBe(1);
  vi.advanceTimersByTime(30_000);
  expect(await predict("broken")).toBe(502);
  expect(loads.broken).toBe(2);
  isDown = true;
  expect(await predict("iris")).not.toBe(200);
  isDown = false;
  expect(await predict("iris")).toBe(200);
});
