import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { targets, type Target } from "../harness/targets.ts";

const iris = join(import.meta.dirname, "../../models/iris/1");

/** Every 200 ms the wall clock goes five hours back, or one forward. */
const CLOCK = `
const now = Date.now, start = performance.now();
Date.now = () => {
  const jumps = Math.floor((performance.now() - start) / 200);
  return now() - 3_600_000 * (5 * Math.ceil(jumps / 2) - Math.floor(jumps / 2));
};`;

let target: Target;
afterEach(() => target.stop());

test("a wall clock that jumps by hours keeps no release, and no deadline, from its time", async () => {
  target = await targets.node({
    env: {
      RELEASE_TTL_SECONDS: "1",
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(CLOCK)}`,
    },
  });
  const predict = (headers: Record<string, string> = {}) =>
    target.fetch("/v1/models/iris/predict", {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: '{"inputs": [5.1, 3.5, 1.4, 0.2]}',
    });
  const version = async () => (await predict()).headers.get("x-model-version");
  expect(await version()).toBe("1");
  const manifest = await readFile(join(iris, "model.json"), "utf8");
  await target.store.put("iris/2/model.json", manifest.replace('"version": "1"', '"version": "2"'));
  await target.store.put("iris/2/model.onnx", await readFile(join(iris, "model.onnx")));
  for (const released of ["2", "1"]) {
    await target.store.put("iris/release.json", JSON.stringify({ stable: released }));
    await expect.poll(version).toBe(released);
  }
  for (let jumps = 0; jumps < 8; jumps++) {
    expect((await predict({ "X-Request-Timeout-Ms": "5000" })).status).toBe(200);
    await sleep(100);
  }
});
