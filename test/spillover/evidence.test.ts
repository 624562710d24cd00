import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { getRequestListener } from "@hono/node-server";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { copyIris, SECRET, served, SMALL_MB, useServed } from "./deployments.ts";

const SEGMENT = { id: 1, share: 0.5, since: "2026-11-01T00:00:00Z" };
const RELEASE = {
  schema: 2,
  stable: "1",
  revision: 1,
  candidates: [{ version: "2", percent: 50, segments: [SEGMENT] }],
};
const keep = useServed();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearcast-evidence-"));
  for (const version of ["1", "2"]) await copyIris(folder, version);
  await writeFile(join(folder, "iris/release.json"), JSON.stringify(RELEASE));
});
afterAll(() => rm(folder, { recursive: true }));

/** A deployment over the models, whose candidate may fail. */
function deployment(env: Record<string, string>) {
  const fixed = { STORE: folder, AUTH: "none", ACCESS_LOG: "false", ROLLOUT_WATCH_SECONDS: "0" };
  const service = createService(createNodePlatform({ ...fixed, ...env }));
  return { service, app: createApp(service) };
}

test("what a candidate shows is counted at the edge, once, with its failures and the region's time", async () => {
  const region = deployment({ SPILL_SECRET: SECRET });
  const listen = getRequestListener(region.app.fetch);
  const failing = JSON.stringify({ code: "runtime_failed" });
  const url = await keep(
    served((request, response) => {
      const [, claims = ""] = String(request.headers["x-nearcast-spill"]).split(".");
      const { version } = JSON.parse(Buffer.from(claims, "base64url").toString()) as {
        version: string;
      };
      if (version === "1") return void listen(request, response);
      response.writeHead(503, { "X-Nearcast-Error": "runtime_failed" }).end(failing);
    }),
  );
  const edge = deployment({ SPILL_URL: url, SPILL_SECRET: SECRET, SESSION_BUDGET_MB: SMALL_MB });
  const statuses = new Map<number, number>();
  for (let caller = 0; caller < 20; caller++) {
    const { status } = await edge.app.request("/v1/models/iris/predict", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Nearcast-Key": `customer-${caller}` },
      body: '{"inputs": [5.1, 3.5, 1.4, 0.2]}',
    });
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  const [stable = 0, candidate = 0] = [statuses.get(200), statuses.get(503)];
  expect(stable + candidate).toBe(20);
  expect(Math.min(stable, candidate)).toBeGreaterThan(0);
  const counted = async ({ service }: ReturnType<typeof deployment>) =>
    (await service.rollouts.status("iris"))?.candidates[0]?.segments[0]?.counts;
  // Counts are sent about once a second.
  const shown = await vi.waitFor(async () => {
    const sums = await counted(edge);
    expect(sums).toMatchObject({ stable: { requests: stable } });
    return sums;
  }, 5000);
  expect(shown).toMatchObject({
    stable: { requests: stable, errors: 0 },
    candidate: { requests: candidate, errors: candidate },
  });
  expect(shown?.stable.latency.reduce((sum, count) => sum + count, 0)).toBe(stable);
  const there = await counted(region);
  expect([there?.stable.requests, there?.candidate.requests]).toEqual([0, 0]);
});
