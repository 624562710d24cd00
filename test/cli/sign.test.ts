import { appendFile, readFile, stat, writeFile } from "node:fs/promises";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { startNodeServer } from "../harness/node-server.ts";
import { addLines, nearcast, removeLines, root, succeed, temporaryFolder } from "./nearcast.ts";

const LIMIT_MS = 300_000;

afterAll(removeLines);

test(
  "a signed version is pushed with its signature and served by who trusts the key",
  async () => {
    const [models, store, keys] = [
      await temporaryFolder(),
      await temporaryFolder(),
      await temporaryFolder(),
    ];
    await addLines(models);
    const key = join(keys, "key.pem");
    const signing = ["sign", "line@1", "--models", models, "--key"];
    const create = [...signing, key, "--create-key"];
    const signed = await succeed(create);
    const trusted = /TRUSTED_KEYS=(\S+)/.exec(signed)?.[1] ?? "";
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    const again = await nearcast(create);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("EEXIST")]);

    // A second signer.
    const second = join(keys, "second.pem");
    await writeFile(second, pemOf(generateKeyPairSync("ed25519").privateKey));
    await succeed([...signing, second]);
    await succeed([...signing, key]);
    const signatures = await readFile(join(models, "line/1/model.json.sig"), "utf8");
    expect(signatures.trim().split("\n")).toHaveLength(2);

    await succeed(["push", "line@1", "--models", models, "--to", store]);
    await succeed(["release", "line@1", "--store", store]);
    const serve = async (keysTrusted: string) => {
      const server = await startNodeServer({
        cwd: root,
        env: { STORE: store, TRUSTED_KEYS: keysTrusted },
      });
      onTestFinished(async () => void (await server.stop()));
      return (await server.fetch("/v1/models/line")).status;
    };
    expect(await serve(trusted)).toBe(200);
    expect(await serve(Buffer.alloc(32, 1).toString("base64"))).toBe(502);

    await appendFile(join(models, "line/1/model.json"), "\n");
    const stale = await nearcast(["push", "line@1", "--models", models, "--to", store]);
    expect([stale.code, stale.stderr]).toEqual([1, expect.stringContaining("sign it again")]);
  },
  LIMIT_MS,
);

test("a key of another kind is refused", async () => {
  const models = await temporaryFolder();
  await addLines(models);
  const key = join(models, "rsa.pem");
  await writeFile(key, pemOf(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey));
  const refused = await nearcast(["sign", "line@1", "--models", models, "--key", key]);
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining("no Ed25519 key but rsa"),
  ]);
});

function pemOf(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
