// Runs as a process of its own: `node local-bucket <models folder>`. It copies the models folder to the local bucket of
// `wrangler dev` and leaves other keys as they are. It is not a part of `nearcast dev`: once imported, wrangler ends its
// process at a signal without waiting, and `nearcast dev` has other processes to end.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { R2Bucket } from "@cloudflare/workers-types";
import { filesOfModels, isModelKey } from "../local/models.ts";
import { importWrangler, readWorkerConfiguration } from "../wrangler.ts";

const [models = ""] = process.argv.slice(2);
try {
  await fill();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
// workerd may keep the process alive, so it is ended here.
process.exit();

async function fill(): Promise<void> {
  const { bucket: found } = await readWorkerConfiguration();
  const { getPlatformProxy } = await importWrangler();
  const { env, dispose } = await getPlatformProxy<Record<string, R2Bucket>>({
    remoteBindings: false,
  });
  try {
    const bucket = env[found.binding] as R2Bucket;
    const start = found.prefix === "" ? "" : `${found.prefix.replace(/\/$/, "")}/`;
    const stored = await storedEtags(bucket, start);
    for (const key of await filesOfModels(models)) {
      const bytes = await readFile(join(models, key));
      const etag = createHash("md5").update(bytes).digest("hex");
      if (stored.get(key) !== etag) await bucket.put(start + key, bytes);
      stored.delete(key);
    }
    for (const key of stored.keys()) if (isModelKey(key)) await bucket.delete(start + key);
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
