import { mkdir, mkdtemp, readdir, rm, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import type { Store } from "../../functions/model/store.ts";
import { storeContract } from "../../functions/testing.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

let shared = "";
beforeAll(async () => {
  shared = await mkdtemp(join(tmpdir(), "nearcast-store-"));
});
afterAll(() => rm(shared, { recursive: true, force: true }));
for (const { name, run } of storeContract(() => createFolderStore(shared)))
  test(name, run, 300_000);

test("a folder that does not exist is a store that cannot answer", async () => {
  const store = createFolderStore(join(tmpdir(), "nearcast-no-such-folder"));
  await expect(store.get("iris/release.json")).rejects.toThrow("ENOENT");
  await expect(store.list("")).rejects.toThrow("ENOENT");
});

test("a lock that a dead process left is taken over, by one, and a fresh one is not", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-store-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const store = createFolderStore(folder);
  let etag = (await store.put("release.json", bytes("start"))) ?? "";
  const lock = join(folder, "release.json.lock");
  await mkdir(lock);
  await expect(store.put("release.json", bytes("early"), { ifMatch: etag })).rejects.toThrow(
    `the lock ${lock} is 1 s old. A lock that a killed process left is taken over after 60 s`,
  );
  expect(new TextDecoder().decode((await readStored(store))?.bytes)).toBe("start");

  for (let round = 0; round < 20; round++) {
    await mkdir(lock, { recursive: true });
    const longAgo = new Date(Date.now() - 61_000 - round);
    await utimes(lock, longAgo, longAgo);
    const writers = Array.from({ length: 10 }, (_, writer) =>
      store.put("release.json", bytes(`${round} ${writer}`), { ifMatch: etag }),
    );
    const won = (await Promise.all(writers)).filter((made) => made !== undefined);
    expect(won).toHaveLength(1);
    etag = won[0] ?? "";
    expect((await store.head("release.json"))?.etag).toBe(etag);
    expect(await readdir(folder)).toEqual(["release.json"]);
  }
});

test.each([
  ["two minutes old", -120_000],
  ["dated tomorrow", 86_400_000],
])("a lock that is %s is taken over, and so is what its dead remover left", async (_, offset) => {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-store-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const store = createFolderStore(folder);
  const etag = (await store.put("release.json", bytes("start"))) ?? "";
  const lock = join(folder, "release.json.lock");
  const date = new Date(Date.now() + offset);
  await mkdir(lock);
  await utimes(lock, date, date);
  const { ino, mtimeMs } = await stat(lock);
  const removal = `${lock}.${ino}-${Math.trunc(mtimeMs)}`;
  await mkdir(removal);
  await utimes(removal, date, date);
  expect(await store.put("release.json", bytes("next"), { ifMatch: etag })).toBeDefined();
  expect(await readdir(folder)).toEqual(["release.json"]);
});

test("an object is written while others in its folder are removed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-store-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const store = createFolderStore(folder);
  await Promise.all(
    ["a", "b", "c", "d"].map(async (name) => {
      for (let round = 0; round < 150; round++) {
        expect(await store.put(`one/${name}`, bytes(name))).toBeDefined();
        // The folder goes with the one that leaves it empty.
        await store.delete(`one/${name}`);
      }
    }),
  );
});

async function readStored(store: Store) {
  const found = await store.get("release.json");
  return found === "not-modified" ? undefined : found;
}
