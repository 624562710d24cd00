import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createBatchStore } from "../../functions/batches/batch-store.ts";
import { createJobStore, nameOf } from "../../functions/jobs/job-store.ts";
import { createPerform } from "../../functions/http/job-run.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";

const root = join(import.meta.dirname, "../..");
const JSON_TYPE = { "Content-Type": "application/json" };

/** A folder of models for the tests of a file, as {@link storeOfModels} makes it. Its path is known once a test runs. */
export function useModels(): { readonly path: string } {
  const used = { path: "" };
  beforeAll(async () => {
    used.path = await storeOfModels();
    return () => rm(used.path, { recursive: true });
  });
  return used;
}

/** Iris and search in two versions (the second ones are copies), and another model. */
async function storeOfModels(): Promise<string> {
  const models = await mkdtemp(join(tmpdir(), "nearcast-jobs-models-"));
  for (const name of ["iris", "sentiment", "search"]) {
    await mkdir(join(models, name));
    await cp(join(root, "models", name, "1"), join(models, name, "1"), { recursive: true });
    await release(models, name, "1");
  }
  for (const name of ["iris", "search"]) {
    await cp(join(root, "models", name, "1"), join(models, name, "2"), { recursive: true });
    const path = join(models, name, "2/model.json");
    const manifest = JSON.parse(await readFile(path, "utf8")) as object;
    await writeFile(path, JSON.stringify({ ...manifest, version: "2" }));
  }
  return models;
}

export async function release(models: string, name: string, version: string): Promise<void> {
  await writeFile(join(models, name, "release.json"), JSON.stringify({ stable: version }));
}

/** Puts version 2 on trial beside version 1. */
export async function tryOut(models: string, name: string, percent: number): Promise<void> {
  const candidates = [{ version: "2", percent, segments: [] }];
  const trial = { schema: 2, revision: 1, stable: "1", salt: "s", candidates };
  await writeFile(join(models, name, "release.json"), JSON.stringify(trial));
}

/** The app with jobs, in this process, which the app does not take by itself. No job runs before `work` is called. */
export async function startJobs(env: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-jobs-"));
  const platform = createNodePlatform({
    ACCESS_LOG: "false",
    JOBS_FILE: join(folder, "jobs.sqlite"),
    ...env,
  });
  if (!platform.jobs) throw new Error("This Node has no SQLite.");
  const { consume, ...places } = platform.jobs;
  const stored = createJobStore(places.store, 5000);
  const batches = createBatchStore(places.store, 5000);
  const logged: Record<string, unknown>[] = [];
  const log = (entry: Record<string, unknown>) => void logged.push(entry);
  const service = createService({ ...platform, log, jobs: places });
  const app = createApp(service);
  const perform = createPerform(app, service);
  const { jobs } = service;
  if (!jobs || !consume) throw new Error("There is no queue.");
  let stop: (() => Promise<void>) | undefined;

  const ask = async (path: string, init: RequestInit = {}) => app.request(path, init);
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    ask(path, { method: "POST", headers: { ...JSON_TYPE, ...headers }, body: asBody(body) });
  return {
    platform,
    service,
    jobs,
    perform,
    folder,
    logged,
    ask,
    post,
    later: (path: string, body: unknown, headers: Record<string, string> = {}) =>
      post(path, body, { Prefer: "respond-async", ...headers }),
    put: (id: string, body: unknown, headers: Record<string, string> = {}) =>
      ask(`/v1/jobs/${id}`, {
        method: "PUT",
        headers: { ...JSON_TYPE, ...headers },
        body: asBody(body),
      }),
    /** What the job's message says. Its key alone where there is none. */
    messageOf: async (id: string, caller = "anonymous") => {
      const key = await platform.sha256(`${caller}\n${id}`);
      const job = await stored.find(key);
      return job ? nameOf(key, job) : key;
    },
    /** What the batch's messages begin with, and the folder of what belongs to it. */
    batchName: async (id: string) => {
      const key = await platform.sha256(`batch\nanonymous\n${id}`);
      const batch = await batches.find(key);
      if (!batch) throw new Error(`There is no batch ${id}.`);
      return nameOf(key, batch);
    },
    work: () => void (stop = consume((key, tries) => jobs.run(key, tries, perform), 1)),
    /** Waits until the job has ended. */
    ended: async (location: string, headers: Record<string, string> = {}) => {
      for (;;) {
        const answer = await ask(location, { headers });
        const job = (await answer.json()) as { status: string; result?: string };
        if (!["queued", "running"].includes(job.status)) return job;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async end() {
      await stop?.();
      await rm(folder, { recursive: true });
    },
  };
}

function asBody(body: unknown): BodyInit {
  return typeof body === "string" || body instanceof Uint8Array
    ? (body as BodyInit)
    : JSON.stringify(body);
}
