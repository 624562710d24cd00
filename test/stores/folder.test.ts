import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { storeContract } from "./contract.ts";

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
