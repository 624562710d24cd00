import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { hasSqlite } from "../harness/has-sqlite.ts";
import { startJobs } from "../jobs/started.ts";
import { SECRET, serveRegion, SMALL_MB, type Served } from "./deployments.ts";

const FLOWER = [5.1, 3.5, 1.4, 0.2];
const HEADER = "sepal_length,sepal_width,petal_length,petal_width";
const PATH = "/v1/models/iris/predict";

describe.runIf(hasSqlite)("an edge that keeps jobs", () => {
  let region: Served;
  let asked = 0;
  beforeAll(async () => {
    region = await serveRegion({}, () => void (asked += 1));
  });
  afterAll(() => region.close());

  async function start(SPILL_URL = region.url) {
    const spills = { SPILL_URL, SPILL_SECRET: SECRET, SESSION_BUDGET_MB: SMALL_MB };
    const started = await startJobs({ STORE: "models", AUTH: "none", ...spills });
    onTestFinished(() => started.end());
    return started;
  }

  test("a job is forwarded when it runs, and its result is the region's answer", async () => {
    const { later, post, work, ended, ask } = await start();
    asked = 0;
    const made = await later(PATH, { inputs: FLOWER });
    expect([made.status, asked]).toEqual([202, 0]);
    work();
    const location = made.headers.get("location") ?? "";
    expect(await ended(location)).toMatchObject({ status: "succeeded" });
    expect(asked).toBe(1);
    const result = await ask(`${location}/result`);
    expect(result.headers.get("x-nearcast-spillover")).toBe("region");
    expect(await result.text()).toBe(await (await post(PATH, { inputs: FLOWER })).text());
  });

  test("a batch is forwarded part by part, as its parts run", async () => {
    const { ask, work } = await start();
    asked = 0;
    const made = await ask("/v1/batches?model=iris", {
      method: "POST",
      headers: { "Content-Type": "text/csv" },
      body: `${HEADER}\n5.1,3.5,1.4,0.2\n6.3,3.3,6,2.5\n`,
    });
    expect([made.status, asked]).toEqual([202, 0]);
    work();
    const location = made.headers.get("location") ?? "";
    const batch = async () => (await (await ask(location)).json()) as object;
    await vi.waitFor(
      async () => expect(await batch()).toMatchObject({ status: "succeeded" }),
      30_000,
    );
    expect(asked).toBe(1);
    const output = await (await ask(`${location}/output`)).text();
    const lines = output.trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { label: string }).label)).toEqual([
      "setosa",
      "virginica",
    ]);
  });
});
