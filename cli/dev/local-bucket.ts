import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { R2Bucket } from "@cloudflare/workers-types";
import { packageFiles } from "../local/models.ts";
import { importWrangler, type WorkerConfiguration } from "../wrangler.ts";

const MODEL_KEY = /^[^/]+\/(release\.json|[^/]+\/[^/]+\.[^/]+)$/;

/** Makes the local bucket of `wrangler dev` hold what the models folder holds; other keys stay as they are. */
export async function fillLocalBucket(
  models: string,
  { binding, prefix }: WorkerConfiguration["bucket"],
): Promise<void> {
  const { getPlatformProxy } = await importWrangler();
  const { env, dispose } = await getPlatformProxy<Record<string, R2Bucket>>({
    remoteBindings: false,
  });
  try {
    const bucket = env[binding] as R2Bucket;
    const start = prefix === "" ? "" : `${prefix.replace(/\/$/, "")}/`;
    const stored = await storedEtags(bucket, start);
    const keys = await packageFiles(models);
    for (const key of keys) {
      const bytes = await readFile(join(models, key));
      const etag = createHash("md5").update(bytes).digest("hex");
      if (stored.get(key) !== etag) await bucket.put(start + key, bytes);
      stored.delete(key);
    }
    for (const key of stored.keys()) if (MODEL_KEY.test(key)) await bucket.delete(start + key);
  } finally {
    await dispose();
  }
}

async function storedEtags(bucket: R2Bucket, start: string): Promise<Map<string, string>> {
  const etags = new Map<string, string>();
  for (let cursor: string | undefined; ;) {
    const page = await bucket.list({ prefix: start, ...(cursor !== undefined && { cursor }) });
    for (const { key, etag } of page.objects) etags.set(key.slice(start.length), etag);
    if (!page.truncated) return etags;
    cursor = page.cursor;
  }
}
