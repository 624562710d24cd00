import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, vi } from "vitest";
import type { Caller } from "../../functions/auth/caller.ts";
import { readConfig } from "../../functions/config.ts";
import { isFinal, type JobStatus } from "../../functions/jobs/job.ts";
import { nameOf } from "../../functions/jobs/job-store.ts";
import { createJobs, type Asked } from "../../functions/jobs/jobs.ts";
import type { Queue } from "../../functions/jobs/queue.ts";
import { sha256 } from "../../functions/platform/sha256.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { createDelivery } from "../../functions/webhooks/deliver.ts";
import type { WebhookRequest } from "../../functions/webhooks/post.ts";

const caller: Caller = { name: "somebody", scopes: new Set(["predict"]) };

export const WEBHOOK = "https://hooks.example.com/jobs";
const CONFIG = readConfig(
  {
    WEBHOOK_HOSTS: new URL(WEBHOOK).host,
    WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 1).toString("base64")}`,
  },
  { STORE: "models", RUNTIME: "native", SESSION_BUDGET_MB: 64, AUTH: "none" },
  "node",
);

/**
 * Jobs over this queue, in a folder. Their requests are a few bytes. `beginsWebhooks`: as where an instance handles few
 * messages at once, webhooks are begun and not waited for.
 */
export async function jobsOver(queue: Queue, { beginsWebhooks = false } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-jobs-over-"));
  const files = createFolderStore(folder);
  const failing: { beforePut?: () => void | Promise<void> } = {};
  const told: JobStatus[] = [];
  const posted: string[] = [];
  const platform = {
    jobs: {
      queue,
      ...(beginsWebhooks && { consume: () => async () => {} }),
      store: {
        ...files,
        async put(...all: Parameters<typeof files.put>) {
          await failing.beforePut?.();
          return files.put(...all);
        },
      },
    },
    config: CONFIG,
    sha256,
    log: () => {},
    readSecret: async () => undefined,
    waitUntil: () => {},
    webhooks: {
      isInside: async () => false,
      async post({ headers }: WebhookRequest) {
        posted.push(headers["webhook-id"] ?? "");
        return { status: 204, retryAfter: undefined };
      },
    },
  };
  const jobs = createJobs(platform, {
    turns: undefined,
    observer: { job: ({ status }) => void told.push(status) },
    delivery: createDelivery(platform, () => {}),
    others: [],
  });
  if (!jobs) throw new Error("There are no jobs.");
  return {
    jobs,
    /** `beforePut` is called before anything is written. */
    failing,
    told: () => told,
    /** The ids of the messages that webhooks got. */
    posted: () => posted,
    /** What the job's message says. */
    messageOf: async (id: string) =>
      nameOf(sha256(`${caller.name}\n${id}`), await jobs.read(caller, id)),
    make: (id: string, body?: string, webhook?: string) =>
      jobs.make({
        caller,
        id,
        ...ASKED,
        ...(body && { body: new TextEncoder().encode(body) }),
        ...(webhook && {
          webhook: { url: webhook, statuses: ["succeeded"], location: id, from: "webhook" },
        }),
      }),
    read: (id: string) => jobs.read(caller, id),
    remove: (id: string) => jobs.remove(caller, id),
    /** The job when it has ended, with its answer as text where it has one. */
    endOf: async (id: string) => {
      await until(async () => isFinal(await jobs.read(caller, id)), true);
      const job = await jobs.read(caller, id);
      const answer = await jobs.answer(caller, id).catch(() => undefined);
      return { ...job, text: new TextDecoder().decode(answer?.body) };
    },
    /** Loses an object. */
    forget: (object: string) => files.delete(object),
    /** All files of jobs. */
    objects: async () => {
      const all = await readdir(folder, { recursive: true, withFileTypes: true });
      return all.filter((one) => one.isFile()).map(({ name }) => name);
    },
  };
}

/** `expect.poll` cannot be used in tests that run at once. */
export async function until<T>(read: () => T | Promise<T>, expected: Awaited<T>): Promise<void> {
  const patience = { timeout: 30_000, interval: 20 };
  await vi.waitFor(async () => expect(await read()).toEqual(expected), patience);
}

const ASKED = {
  request: { path: "/v1/models/iris/predict", headers: { "x-request-id": "one" } },
  body: new TextEncoder().encode('{"inputs":[1,2,3,4]}'),
  version: {
    manifest: { name: "iris", version: "1", artifact: { sha256: "0".repeat(64) } },
    reason: "stable",
  } as Asked["version"],
} satisfies Partial<Asked>;
