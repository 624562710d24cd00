import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createMemorySource } from "../../functions/features/memory-source.ts";
import { writeObjects } from "../../functions/features/object-source.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";
import { startJobs } from "../jobs/started.ts";
import { churnFolder, counted, customers, openChurn } from "./service.ts";

const folder = await churnFolder({ cacheSeconds: 0 });
const SENT = [
  { customer_id: 42, income: 1 },
  { customer_id: 43, income: 2 },
];
const WHOLE = [
  { age: 30, income: 1, member: true, city: "Oslo" },
  { age: 41, income: 2, member: false, city: "Bergen" },
];

/** Forms of a request: its path, and its body for a model and its rows. */
const DIALECTS: Record<string, [path: string, body: (rows: object[]) => unknown, type?: string]> = {
  native: ["/v1/models/MODEL/predict", (rows) => ({ inputs: rows })],
  "TensorFlow Serving": ["/v1/models/MODEL:predict", (rows) => ({ instances: rows })],
  "columns of TensorFlow Serving": [
    "/v1/models/MODEL:predict",
    (rows) => ({ inputs: columnsOf(rows) }),
  ],
  "MLflow's records": ["/invocations", (rows) => ({ dataframe_records: rows })],
  "MLflow's frame": [
    "/invocations",
    (rows) => ({
      dataframe_split: {
        columns: Object.keys(rows[0] ?? {}),
        data: rows.map((row) => Object.values(row)),
      },
    }),
  ],
  CSV: ["/invocations", csvOf, "text/csv"],
  tutorials: ["/batch_predict", (rows) => rows],
};

test.each(Object.keys(DIALECTS))("%s takes keys, and answers as for all features", async (name) => {
  const [path, body, type = "application/json"] = DIALECTS[name] as (typeof DIALECTS)[string];
  const { source, reads } = counted(createMemorySource("customers", customers()));
  const open = (model: string) =>
    openChurn(folder, { sources: [source] }, { DEFAULT_MODEL: model });
  const ask = async (model: string, rows: object[]) => {
    const headers = { "Content-Type": type, "X-Amzn-SageMaker-Target-Model": model };
    const response = await open(model).post(path.replace("MODEL", model), body(rows), headers);
    const text = await response.text();
    expect(response.status, text).toBe(200);
    const answer = JSON.parse(text) as object;
    return { status: response.headers.get("x-feature-status"), answer };
  };
  const looked = await ask("churn", SENT);
  expect(looked.status).toMatch(/^found=6, oldest=\d+$/);
  const whole = await ask("whole", WHOLE);
  const { features: _, ...answer } = looked.answer as { features?: unknown };
  expect(JSON.parse(JSON.stringify(answer).replaceAll("churn", "whole"))).toEqual(whole.answer);
  expect(reads).toEqual([{ entities: 2, names: ["age", "member", "city"] }]);
});

function columnsOf(rows: object[]): Record<string, unknown[]> {
  const names = Object.keys(rows[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [name, rows.map((row) => (row as Record<string, unknown>)[name])]),
  );
}

function csvOf(rows: object[]): string {
  const lines = [Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row) as unknown[])];
  return lines.map((cells) => `${cells.join(",")}\n`).join("");
}

test("a bad key has its path in the request's own words", async () => {
  const { post } = openChurn(folder, { sources: [createMemorySource("customers", customers())] });
  const response = await post("/v1/models/churn:predict", {
    instances: [{ customer_id: 7, income: 1 }],
  });
  expect(response.status).toBe(422);
  expect(await response.text()).toContain("instances[0].age is not known to customers");
});

test.runIf(hasSqlite)(
  "a job looks up when it runs, in a folder, and its result tells so",
  async () => {
    const table = await mkdtemp(join(tmpdir(), "nearcast-features-"));
    await writeObjects(createFolderStore(table), customers());
    const started = await startJobs({ STORE: folder, FEATURE_SOURCES: `customers=${table}` });
    onTestFinished(() => started.end());
    started.work();
    const call = { method: "POST", headers: { "Content-Type": "application/json" } };
    const asked = { ...call, body: JSON.stringify({ inputs: SENT }) };
    const now = (await (await started.ask("/v1/models/churn/predict", asked)).json()) as {
      outputs: unknown[];
    };
    const later = { ...asked, headers: { ...call.headers, Prefer: "respond-async" } };
    const job = await started.ask("/v1/models/churn/predict", later);
    const result = () => started.ask(`${job.headers.get("location")}/result`);
    await expect.poll(async () => (await result()).status).toBe(200);
    expect(await (await result()).json()).toMatchObject({
      outputs: now.outputs,
      features: { age: { found: 2 } },
    });
    expect((await result()).headers.get("x-feature-status")).toMatch(/^found=6, oldest=\d+$/);
    const each = await started.ask("/v1/models/churn/predict?features=each", later);
    await expect
      .poll(async () => (await started.ask(`${each.headers.get("location")}/result`)).text())
      .toContain('"features":[{"age":{"status":"found"');
  },
);
