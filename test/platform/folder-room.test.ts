import { createHash, randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFolderCache } from "../../functions/platform/folder-cache.ts";

const SIZE = 1000;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearcast-room-"));
});
afterEach(() => rm(folder, { recursive: true }));

function artifact(index: number): [sha256: string, bytes: Uint8Array] {
  const bytes = new Uint8Array(SIZE).fill(index);
  return [createHash("sha256").update(bytes).digest("hex"), bytes];
}

const nameOf = (index: number) => artifact(index)[0];

/** As if the file had been used some minutes ago. */
async function setAge(name: string, minutes: number): Promise<void> {
  const then = new Date(Date.now() - minutes * 60_000);
  await utimes(join(folder, name), then, then);
}

test("artifacts used longest ago make room", async () => {
  const cache = createFolderCache(folder, 3 * SIZE);
  for (const index of [1, 2, 3]) await cache.put(...artifact(index));
  for (const index of [1, 2, 3]) await setAge(nameOf(index), 10 - index);
  // The oldest is used again.
  expect(await cache.get(nameOf(1), SIZE)).toEqual({ path: join(folder, nameOf(1)) });
  expect(await cache.put(...artifact(4))).toEqual({ path: join(folder, nameOf(4)) });
  expect((await readdir(folder)).toSorted()).toEqual([1, 3, 4].map(nameOf).toSorted());
});

test("a thousand artifacts take no more than the bound, put one by one or at once", async () => {
  const cache = createFolderCache(folder, 5 * SIZE);
  const puts = Array.from({ length: 1000 }, (_, index) => cache.put(...numbered(index)));
  await Promise.all(puts);
  expect(await takenBytes()).toBeLessThanOrEqual(5 * SIZE);
});

test("what was given to any process in the last minute is not removed: the new one is loaded from memory", async () => {
  const cache = createFolderCache(folder, 2 * SIZE);
  for (const index of [1, 2]) await cache.put(...artifact(index));
  for (const index of [1, 2]) await setAge(nameOf(index), 5);
  const other = createFolderCache(folder, 2 * SIZE);
  for (const index of [1, 2]) expect(await other.get(nameOf(index), SIZE)).toHaveProperty("path");
  expect(await cache.put(...artifact(3))).toEqual({ bytes: artifact(3)[1] });
  expect((await readdir(folder)).toSorted()).toEqual([1, 2].map(nameOf).toSorted());
});

test("one that is larger than the bound removes nothing", async () => {
  const cache = createFolderCache(folder, SIZE);
  await cache.put(...artifact(1));
  await setAge(nameOf(1), 5);
  const large = new Uint8Array(SIZE + 1);
  expect(await cache.put("f".repeat(64), large)).toEqual({ bytes: large });
  expect(await readdir(folder)).toEqual([nameOf(1)]);
});

test("what killed processes left of a write goes, and files that are not its own stay", async () => {
  const left = `${nameOf(1)}.${randomUUID()}.tmp`;
  const written = `${nameOf(2)}.${randomUUID()}.tmp`;
  for (const name of [left, written, "notes.txt"])
    await writeFile(join(folder, name), Buffer.alloc(SIZE));
  for (const name of [left, "notes.txt"]) await setAge(name, 600);
  const cache = createFolderCache(folder, 2 * SIZE);
  await cache.put(...artifact(3));
  expect((await readdir(folder)).toSorted()).toEqual([written, "notes.txt", nameOf(3)].toSorted());
});

test("two processes that fill one folder lose no file that was just given out", async () => {
  const caches = [createFolderCache(folder, 4 * SIZE), createFolderCache(folder, 4 * SIZE)];
  for (let turn = 0; turn < 100; turn++)
    await Promise.all(
      caches.map(async (cache, which) => {
        const [sha256, bytes] = numbered(turn * 2 + which);
        const source = (await cache.get(sha256, SIZE)) ?? (await cache.put(sha256, bytes));
        // As ONNX Runtime opens it, a moment later.
        if ("path" in source) expect((await readFile(source.path)).equals(bytes)).toBe(true);
      }),
    );
  // Each may have written while the other did.
  expect(await takenBytes()).toBeLessThanOrEqual(5 * SIZE);
});

function numbered(index: number): [sha256: string, bytes: Uint8Array] {
  const bytes = new Uint8Array(SIZE);
  new DataView(bytes.buffer).setUint32(0, index);
  return [createHash("sha256").update(bytes).digest("hex"), bytes];
}

async function takenBytes(): Promise<number> {
  const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
