import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { readRelease } from "../../functions/model/release.ts";
import type { Store } from "../../functions/model/store.ts";
import { storedVersions } from "../../functions/model/versions.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";

const ROUNDS = 25;

interface Described {
  artifact: { file: string; sha256: string };
  assets: { file: string; sha256: string }[];
}

test("a store is readable at whatever moment a push or a release was killed, and taken up again", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-killed-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "store"));
  const store = createFolderStore(join(folder, "store"));
  let before = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await killedPublisher(folder, Math.random() * 250);
    const versions = (await storedVersions(store, "m")).get("m") ?? [];
    for (const version of versions.slice(before)) await expectWhole(store, version);
    const release = (await readRelease(store, "m"))?.release;
    if (release) expect(versions).toContain(release.stable);
    before = versions.length;
    await age(join(folder, "store", "m"));
  }
  // Each process has added some, except those that were killed early.
  expect(before).toBeGreaterThan(ROUNDS / 2);
}, 300_000);

/** A process that publishes, until it is killed some milliseconds after it has begun. */
async function killedPublisher(folder: string, milliseconds: number): Promise<void> {
  const script = join(import.meta.dirname, "publish-for-ever.ts");
  const args = [script, join(folder, "store"), join(folder, "own")];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  await Promise.race([once(child.stdout, "data"), closed]);
  await sleep(milliseconds);
  child.kill("SIGKILL");
  // It did not end by itself, so what the last process left did not stop it.
  expect(await closed).toEqual([null, "SIGKILL"]);
}

async function expectWhole(store: Store, version: string): Promise<void> {
  const manifest = JSON.parse((await bytesOf(store, `m/${version}/model.json`)).toString());
  const { artifact, assets } = manifest as Described;
  for (const { file, sha256 } of [artifact, ...assets]) {
    const bytes = await bytesOf(store, `m/${version}/${file}`);
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
  }
}

async function bytesOf(store: Store, key: string): Promise<Buffer> {
  const found = await store.get(key);
  if (!found || found === "not-modified") throw new Error(`no ${key}`);
  return Buffer.from(found.bytes);
}

/** Makes locks two minutes older, so that those of the dead process can be taken over. */
async function age(folder: string): Promise<void> {
  const longAgo = new Date(Date.now() - 120_000);
  for (const name of await readdir(folder).catch(() => []))
    if (name.includes(".lock")) await utimes(join(folder, name), longAgo, longAgo);
}
