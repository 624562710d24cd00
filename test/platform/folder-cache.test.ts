import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createFolderCache } from "../../functions/platform/folder-cache.ts";

test("a file in the cache that is not what its name says is not used, and is replaced", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-cache-"));
  const bytes = Buffer.alloc(100_000, 1);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const path = join(folder, sha256);
  const cache = createFolderCache(folder, 2 ** 30);
  expect(await cache.get(sha256, bytes.length)).toBeUndefined();
  expect(await cache.put(sha256, bytes)).toEqual({ path });
  expect(await cache.get(sha256, bytes.length)).toEqual({ path });
  for (const damaged of [Buffer.alloc(bytes.length, 2), bytes.subarray(1)]) {
    await writeFile(path, damaged);
    expect(await cache.get(sha256, bytes.length)).toBeUndefined();
  }
  await cache.put(sha256, bytes);
  expect(await cache.get(sha256, bytes.length)).toEqual({ path });
  await rm(folder, { recursive: true });
});
