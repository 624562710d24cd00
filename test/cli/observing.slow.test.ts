import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { keepForFeedback, modelsWithBaseline } from "../drift/models-with-baseline.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";
import { nearcast, succeed, temporaryFolder } from "./nearcast.ts";

const asker = apiKey("asker", { scopes: ["predict"] });
const admin = apiKey("admin", { scopes: ["predict", "admin", "metrics"] });
const SETOSA = [5.1, 3.5, 1.4, 0.2];

let models: string;
let server: NodeServer;
beforeAll(async () => {
  models = await modelsWithBaseline();
  await keepForFeedback(models);
  server = await startNodeServer({
    env: { STORE: models, ACCESS_LOG: "false", API_KEYS: keyList(asker, admin), AUTH: "" },
  });
  for (let count = 0; count < 40; count++) {
    const headers = { ...bearer(asker.key), "X-Request-Id": `p${count}` };
    const answer = await server.fetch("/v1/models/iris/predict", {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json" },
      body: JSON.stringify({ inputs: SETOSA }),
    });
    expect(answer.status).toBe(200);
  }
});
afterAll(async () => {
  await server?.stop();
  await rm(models, { recursive: true });
});

/** A record of SageMaker. */
const truth = (index: number, data: string, encoding = "CSV") => ({
  groundTruthData: { data, encoding },
  eventMetadata: { eventId: `p${index}` },
  eventVersion: "0",
});

const at = (key = admin.key) => ["--url", server.url, "--key", key];

test("drift says in words what has shifted, and --fail fails", async () => {
  const said = await succeed(["drift", "iris", "--hours", "2", ...at()]);
  expect(said).toMatch(/^iris@1 has shifted from its training data \(40 values in 2 h\)\.$/m);
  expect(said).toMatch(/^! prediction\.label: more "setosa" \(\d+ % → 100 %\), PSI \d/m);
  const failed = await nearcast(["drift", "iris@1", "--fail", ...at()]);
  expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining("has shifted") });
  const json = await succeed(["drift", "iris", "--json", ...at()]);
  expect(JSON.parse(json)).toMatchObject({ model: "iris", hours: 24, drifted: true });
});

test("feedback takes own lines and SageMaker's, from a file or a store, and accuracy shows what they make", async () => {
  const before = await succeed(["accuracy", "iris", ...at()]);
  expect(before).toMatch(
    /^iris@1: 0 outcomes, accuracy estimated from the scores of 40 predictions (0\.9\d+|1\.0000)$/m,
  );
  const folder = await temporaryFolder();
  const own = Array.from({ length: 6 }, (_, index) => ({
    request_id: `p${index}`,
    outcome: "setosa",
  }));
  const lines = [...own, { request_id: "of-nobody", outcome: "setosa" }];
  const file = join(folder, "outcomes.jsonl");
  await writeFile(file, lines.map((line) => JSON.stringify(line)).join("\n"));
  // The asker's predictions are the asker's to judge, or an admin's who names them.
  const given = await nearcast(["feedback", file, ...at(asker.key)]);
  expect(given).toMatchObject({ code: 0, stdout: "6 counted, 0 known before, 1 refused.\n" });
  expect(given.stderr).toContain("of-nobody");
  expect(await succeed(["feedback", file, "--caller", "asker", ...at()])).toBe(
    "0 counted, 6 known before, 1 refused.\n",
  );
  const stored = join(folder, "truth.jsonl");
  const records = [truth(6, "virginica"), truth(7, btoa("setosa"), "BASE64")];
  await writeFile(stored, records.map((line) => JSON.stringify(line)).join("\n"));
  await rm(file);
  expect(await succeed(["feedback", "", "--store", folder, ...at(asker.key)])).toBe(
    "2 counted, 0 known before, 0 refused.\n",
  );
  const after = await succeed(["accuracy", "iris", "--days", "1", ...at()]);
  expect(after).toMatch(
    /^iris@1: 8 outcomes, accuracy 0\.8750, f1_macro 0\.\d{4}, accuracy estimated/m,
  );
  expect(JSON.parse(await succeed(["accuracy", "iris", "--json", ...at()]))).toMatchObject({
    versions: [{ version: "1", released: true, count: 8, accuracy: 0.875 }],
  });
});

test("what goes wrong is said", async () => {
  expect((await nearcast(["drift", "iris", ...at(asker.key)])).stderr).toContain("metrics");
  expect((await nearcast(["accuracy", "other", ...at()])).stderr).toContain("404");
  const nowhere = ["accuracy", "iris", "--url", "http://127.0.0.1:9", "--key", "x"];
  expect((await nearcast(nowhere)).stderr).toContain("cannot be reached");
  const folder = await temporaryFolder();
  const file = join(folder, "outcomes.jsonl");
  await writeFile(file, '{"request_id": "p1", "outcome": "setosa"}\nnonsense');
  expect((await nearcast(["feedback", file, ...at()])).stderr).toContain("Line 2");
});
