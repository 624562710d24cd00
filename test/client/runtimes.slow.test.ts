import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";
import { QUERY, TEXTS } from "./everywhere.ts";
import { clientModels } from "./models.ts";
import { installPackedClient, type PackedClient } from "./packed.ts";
import { runtimes } from "./runtimes.ts";

const page = apiKey("page");
const slow = apiKey("slow", { rate: "1/2s" });

let packed: PackedClient;
let models: string;
let jobs: string;
let server: NodeServer;
beforeAll(async () => {
  [packed, models, jobs] = await Promise.all([
    installPackedClient(),
    clientModels(),
    mkdtemp(join(tmpdir(), "nearcast-client-jobs-")),
  ]);
  const keys = keyList(page, slow);
  const env = { STORE: models, JOBS_FILE: join(jobs, "jobs.sqlite"), API_KEYS: keys };
  server = await startNodeServer({ cwd: join(import.meta.dirname, "../.."), env });
});
afterAll(async () => {
  await server?.stop();
  await packed?.remove();
  for (const folder of [models, jobs]) if (folder) await rm(folder, { recursive: true });
});

/** What the service's other routes answer. */
async function ask(path: string, body?: object): Promise<Record<string, unknown>> {
  const headers = { ...bearer(page.key), "Content-Type": "application/json" };
  const post = body && { method: "POST", body: JSON.stringify(body) };
  return (await (await server.fetch(path, { headers, ...post })).json()) as Record<string, unknown>;
}

async function bestOfAll(): Promise<[number, string]> {
  const body = { model: "rank-bert", query: QUERY, documents: TEXTS, top_n: 1 };
  const { results } = await ask("/v1/rerank", body);
  const [{ index, document }] = results as [{ index: number; document: { text: string } }];
  return [index, document.text];
}

async function digit(): Promise<string> {
  const { examples } = await ask("/v1/models/digits");
  return (examples as [{ output: { label: string } }])[0].output.label;
}

const tooWide = (path: string) => ({
  code: "invalid_input",
  status: 422,
  errors: [{ path, message: "must be at most 20 cm" }],
});

test.each(runtimes())("%s is answered everything", async (runtime, askIn) => {
  const url = server.url.replace("localhost", "127.0.0.1");
  const asked = { url, key: page.key, slowKey: slow.key, runtime };
  expect(await askIn(packed.project, asked)).toEqual({
    predicted: "setosa",
    wrong: tooWide("inputs[1].sepal_width"),
    lengths: [128, 128],
    same: true,
    ranked: [await bestOfAll()],
    job: { status: "queued", statuses: ["queued", "running", "succeeded"], digit: await digit() },
    waited: ["setosa", "setosa"],
    ended: "succeeded",
    gone: { code: "not_found", status: 404, errors: [] },
    failed: tooWide("inputs.sepal_width"),
    feedback: "counted",
    again: "known",
    aborted: "AbortError",
    late: { code: "timeout", status: 0, errors: [] },
    limited: ["setosa", "setosa"],
    told: ["invalid_input", "not_found", "invalid_input", "timeout"],
  });
});
