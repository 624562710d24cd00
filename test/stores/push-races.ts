import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startS3, type S3Server } from "../../cli/local/s3-server.ts";
import { pushPackage } from "../../cli/push.ts";
import type { LocalPackage } from "../../cli/package-folder.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { signersOf } from "../../functions/model/signature.ts";
import type { Store } from "../../functions/model/store.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { createS3Store } from "../../functions/platform/store/s3.ts";

const NAME = "raced";

/** The files that two pushes of one version have in common. All others differ. */
const CASES: Record<string, Record<string, (who: string) => string>> = {
  "other manifests, everything else the same": {
    "model.onnx": () => "the same artifact",
    "words.json": () => "the same words",
  },
  "the same artifact, other assets": {
    "model.onnx": () => "the same artifact",
    "a.json": (who) => `a of ${who}`,
    "words.json": (who) => `words of ${who}`,
  },
  "other bytes in every file": {
    "model.onnx": (who) => `artifact of ${who}`,
    "words.json": (who) => `words of ${who}`,
  },
};

/** Different bytes are pushed to one new version at the same time. Exactly one push is whole in the store. */
export function pushRaces(open: () => Store | Promise<Store>, tries: number): void {
  test.each(Object.entries(CASES))("%s", { timeout: 300_000 }, async (what, files) => {
    const folder = await mkdtemp(join(tmpdir(), "nearcast-races-"));
    const store = await open();
    try {
      for (let version = 1; version <= tries; version++)
        await race(store, folder, {
          version: `${Object.keys(CASES).indexOf(what)}.${version}`,
          files,
        });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** The same in a folder and in S3. */
export function pushRacesInFolderAndS3(tries: number): void {
  describe("in a folder", () => {
    let folder = "";
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "nearcast-races-"));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));
    pushRaces(() => createFolderStore(folder), tries);
  });

  describe("in S3", () => {
    let s3: S3Server;
    beforeAll(async () => {
      for (const name of ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
        vi.stubEnv(name, "test");
      s3 = await startS3({ buckets: ["models"] });
    });
    afterAll(() => s3.close());
    const options = { bucket: "models", prefix: "", forcePathStyle: true };
    pushRaces(() => createS3Store({ ...options, endpoint: s3.endpoint }), tries);
  });
}

interface Raced {
  version: string;
  files: Record<string, (who: string) => string>;
}

async function race(store: Store, folder: string, { version, files }: Raced): Promise<void> {
  const pushers = await Promise.all(
    ["ada", "bob", "cyd"].map((who) => makePackage(folder, who, version, files)),
  );
  const quiet = { start: () => undefined, done: () => undefined };
  const outcomes = await Promise.allSettled(
    pushers.map(({ local }) => pushPackage(local, late(store), quiet)),
  );
  const won = pushers.filter((_, index) => outcomes[index]?.status === "fulfilled");
  expect(won.map(({ who }) => who)).toHaveLength(1);
  for (const outcome of outcomes)
    if (outcome.status === "rejected")
      expect((outcome.reason as Error).message).toMatch(
        /raced@\S+ is already in the store with other bytes|Another push of raced@\S+ is under way/,
      );
  const [winner] = won;
  for (const [file, bytes] of Object.entries(winner?.contents ?? {}))
    expect(await textOf(store, `${NAME}/${version}/${file}`), file).toBe(bytes);
  const signatures = (await textOf(store, `${NAME}/${version}/model.json.sig`)) ?? "";
  const manifest = new TextEncoder().encode(winner?.contents["model.json"]);
  expect(await signersOf(manifest, signatures)).toEqual([winner?.publicKey]);
}

/** A version that only `push` reads: no runtime would load it. */
async function makePackage(folder: string, who: string, version: string, files: Raced["files"]) {
  const own = join(folder, `${who}-${version}`);
  await mkdir(own);
  const contents: Record<string, string> = {};
  for (const [file, textBy] of Object.entries(files)) contents[file] = textBy(who);
  const described = Object.entries(contents).map(([file, text]) => ({
    file,
    bytes: text.length,
    sha256: createHash("sha256").update(text).digest("hex"),
  }));
  const [artifact, ...assets] = described.toSorted((a) => (a.file === "model.onnx" ? -1 : 1));
  // Each lists its assets in another order.
  if (who === "bob") assets.reverse();
  const manifest = { name: NAME, version, artifact, assets, description: `by ${who}` };
  contents["model.json"] = JSON.stringify(manifest);
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const signer = base64Of(publicKey);
  const signature = sign(null, Buffer.from(contents["model.json"]), privateKey).toString("base64");
  for (const [file, text] of Object.entries(contents)) await writeFile(join(own, file), text);
  await writeFile(join(own, "model.json.sig"), `${signer} ${signature}\n`);
  const local: LocalPackage = {
    models: folder,
    folder: own,
    manifest: manifest as unknown as Manifest,
  };
  return { who, local, contents, publicKey: signer };
}

function base64Of(publicKey: KeyObject): string {
  return publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("base64");
}

/** The store with every operation delayed by some milliseconds, so that each race runs differently. */
function late(store: Store): Store {
  return {
    get: async (...asked) => (await pause(), store.get(...asked)),
    head: async (...asked) => (await pause(), store.head(...asked)),
    list: async (...asked) => (await pause(), store.list(...asked)),
    put: async (...asked) => (await pause(), store.put(...asked)),
    delete: async (...asked) => (await pause(), store.delete(...asked)),
  };
}

function pause(): Promise<void> {
  return sleep(Math.random() * 4);
}

async function textOf(store: Store, key: string): Promise<string | undefined> {
  const found = await store.get(key);
  return found && found !== "not-modified" ? new TextDecoder().decode(found.bytes) : undefined;
}
