import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { filesOfModels } from "../../cli/local/models.ts";
import { createQueueName } from "../../functions/platform/queue/queue-name.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";

const s3 = { endpoint: undefined, forcePathStyle: false };
const folder = async () => mkdtemp(join(tmpdir(), "nearcast-name-"));

function nameOf(store: string, isNeeded = true) {
  return createQueueName({ store, s3 }, createFolderStore(store))(isNeeded);
}

test("all processes that share a folder have one queue, and another folder has another one", async () => {
  const [one, other] = [await folder(), await folder()];
  expect(await nameOf(one, false)).toBeUndefined();
  const names = await Promise.all(Array.from({ length: 10 }, async () => nameOf(one)));
  expect(new Set(names).size).toBe(1);
  expect(await nameOf(one, false)).toBe(names[0]);
  expect(await nameOf(other)).not.toBe(names[0]);
});

test("a bucket has the queue of its name, and is not asked", async () => {
  const none = createFolderStore("/nowhere");
  const named = (store: string, endpoint?: string) =>
    createQueueName({ store, s3: { ...s3, endpoint } }, none)(true);
  expect(await named("s3://models")).toBe(await named("s3://models"));
  const others = [named("s3://others"), named("s3://models/staging"), named("s3://models", "http://127.0.0.1:9000")]; // oxfmt-ignore
  for (const other of await Promise.all(others)) expect(other).not.toBe(await named("s3://models"));
});

test("what lies beside the models is no model's, and leaves no folders", async () => {
  const models = await folder();
  const store = createFolderStore(models);
  const keys = [".jobs/abc/job.json", ".jobs/queue", "iris/.captured/day.jsonl"];
  for (const key of [...keys, "iris/1/model.json"]) await store.put(key, new Uint8Array(1));
  expect((await store.list("")).filter((key) => key.startsWith("."))).toEqual([]);
  expect(await filesOfModels(models)).toEqual(["iris/1/model.json"]);
  await store.delete(".jobs/abc/job.json");
  expect(await store.get(".jobs/queue")).toBeDefined();
  const again = Array.from({ length: 20 }, async (_, index) => {
    await store.put(`.jobs/abc/${index}`, new Uint8Array(1));
    await store.delete(`.jobs/abc/${index}`);
  });
  await Promise.all(again);
  expect(await readdir(join(models, ".jobs"))).toEqual(["queue"]);
});
