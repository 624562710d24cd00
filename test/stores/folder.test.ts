import { mkdir, mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { storeContract } from "./contract.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

storeContract(async () => {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-store-"));
  return {
    store: createFolderStore(folder),
    close: () => rm(folder, { recursive: true, force: true }),
  };
});

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
  expect(await store.put("release.json", bytes("early"), { ifMatch: etag })).toBeUndefined();

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
