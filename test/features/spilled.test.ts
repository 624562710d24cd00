import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { writeObjects } from "../../functions/features/object-source.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { deploy, deployEdge, serveRegion } from "../spillover/deployments.ts";
import { churnFolder, customers } from "./service.ts";

/** So few MiB that the model does not fit. */
const TINY = "0.0001";
const ROW = { customer_id: 42, income: 1 };

test.each([
  ["/v1/models/churn/predict", { inputs: ROW }],
  ["/v1/models/churn:predict", { instances: [ROW] }],
])("%s: an edge without the source forwards what it cannot hold", async (path, body) => {
  const table = await mkdtemp(join(tmpdir(), "nearcast-features-"));
  await writeObjects(createFolderStore(table), customers());
  const STORE = await churnFolder({}, { cache: { ttlSeconds: 600 } });
  const withSource = { STORE, FEATURE_SOURCES: `customers=${table}` };
  let forwarded = 0;
  const region = await serveRegion(withSource, () => void (forwarded += 1));
  onTestFinished(region.close);
  const ask = async (app: ReturnType<typeof deploy>) => {
    const headers = { "Content-Type": "application/json" };
    const answer = await app.request(path, { method: "POST", headers, body: JSON.stringify(body) });
    const { outputs, predictions } = (await answer.json()) as Record<string, unknown>;
    expect(answer.status).toBe(200);
    return { outputs, predictions, from: answer.headers.get("x-nearcast-spillover") };
  };
  const edge = deployEdge(region.url, { STORE, SESSION_BUDGET_MB: TINY });
  const direct = await ask(deploy(withSource));
  expect(direct.from).toBe(null);
  expect(await ask(edge)).toEqual({ ...direct, from: "region" });
  // What the keys stand for changes, so the edge must not keep the answer by them.
  await ask(edge);
  expect(forwarded).toBe(2);
});
