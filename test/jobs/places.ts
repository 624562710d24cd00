import { once } from "node:events";
import { cp, mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { hasRedis, startRealRedis } from "../harness/real-redis.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

/** Where jobs lie and wait for processes of Node. */
export interface Place {
  env: Record<string, string>;
  /** How many processes share it in tests. */
  processes: number;
  stop: () => Promise<void>;
}

async function inAFile(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-jobs-file-"));
  const env = { STORE: "models", JOBS_FILE: join(folder, "jobs.sqlite"), ACCESS_LOG: "false" };
  return { env, processes: 1, stop: async () => {} };
}

/**
 * A real Redis, or the tests' own where none is installed, or the one at `url`, with a folder that the processes share.
 */
export async function openRedisPlace(url?: string): Promise<Place> {
  const models = await mkdtemp(join(tmpdir(), "nearcast-jobs-shared-"));
  await cp("models/iris", join(models, "iris"), { recursive: true });
  const start = hasRedis ? startRealRedis : startInThread;
  const redis = url === undefined ? await start() : { url, stop: async () => {} };
  const env = { STORE: models, REDIS_URL: redis.url, ACCESS_LOG: "false" };
  return { env, processes: 2, stop: redis.stop };
}

/** The paths of all files of the jobs in a folder. */
export async function jobFiles({ STORE = "" }: Record<string, string>): Promise<string[]> {
  const all = await readdir(join(STORE, ".jobs"), { recursive: true, withFileTypes: true });
  return all.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}

async function startInThread() {
  const thread = new Worker(new URL("../harness/redis-thread.ts", import.meta.url));
  const [url] = (await once(thread, "message")) as [string];
  return { url, stop: async () => void (await thread.terminate()) };
}

export const PLACES: [name: string, open: () => Promise<Place>][] = [
  ...(hasSqlite ? [["a file", inAFile] as [string, typeof inAFile]] : []),
  ["Redis", async () => openRedisPlace()],
];
