import { cp, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Finding } from "../../cli/doctor/finding.ts";
import { apiKey, keyList } from "../auth/keys.ts";
import { openDoor } from "../clients/door.ts";
import { startDynamoDb } from "../harness/dynamodb.ts";
import { targets, type TargetOptions } from "../harness/targets.ts";
import { nearcast, root, temporaryFolder } from "./nearcast.ts";

const web = apiKey("web");
const careful = { API_KEYS: keyList(web), AUTH: "", RATE_LIMIT: "1000/60s" };

async function doctor(...args: string[]) {
  const { code, stdout } = await nearcast(["doctor", "--json", ...args]);
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  return { code, lines: findings.map(({ level, what }) => `${level}: ${what}`) };
}

async function start(platform: "node" | "worker" | "lambda", options: TargetOptions = {}) {
  const target = await targets[platform](options);
  const { url, close } = await openDoor(target);
  onTestFinished(async () => {
    close();
    await target.stop();
  });
  return url;
}

/** The same server by an address that is not one of this machine's usual ones, as others would reach it. */
const fromOutside = (url: string) => url.replace("127.0.0.1", "[::ffff:127.0.0.1]");

describe.each(["node", "worker", "lambda"] as const)("%s", (platform) => {
  const rateLimits = { RATE_LIMIT_1000_60: { limit: 1000, period: 60 } } as const;

  test("with keys and a rate, only TLS is missing", async () => {
    const table = await startDynamoDb("rates");
    onTestFinished(table.stop);
    const env = { ...careful, ...(platform === "lambda" && table.env) };
    const url = await start(platform, { env, ...(platform === "worker" && { rateLimits }) });
    expect(await doctor("--url", url, "--key", web.key)).toEqual({ code: 0, lines: [] });
    expect(await doctor("--url", fromOutside(url), "--key", web.key)).toEqual({
      code: 1,
      lines: [expect.stringMatching(/^wrong: No TLS/)],
    });
    expect((await doctor("--url", url)).lines).toEqual([expect.stringMatching(/^note: .*--key/)]);
    expect((await doctor("--url", url, "--key", "nc_wrong")).lines).toEqual([
      expect.stringMatching(/^wrong: The key is refused: 401/),
    ]);
  });

  test("open to everyone, without a rate", async () => {
    const url = await start(platform);
    expect((await doctor("--url", fromOutside(url))).lines).toEqual([
      expect.stringMatching(/^wrong: No TLS/),
      expect.stringMatching(/^unwise: Everyone may ask/),
      expect.stringMatching(/^unwise: \/metrics tells everyone/),
      expect.stringMatching(/^unwise: No rate/),
    ]);
  });

  test("without keys, and for pages of everywhere", async () => {
    const closed = await start(platform, {
      env: { AUTH: "", ...(platform === "node" && { TRUST_PROXY: "1" }) },
    });
    expect((await doctor("--url", closed)).lines).toContainEqual(
      expect.stringMatching(/^wrong: It has no keys/),
    );
    const pages = await start(platform, {
      env: { ...careful, RATE_LIMIT: "", CORS_ORIGINS: "*" },
    });
    expect((await doctor("--url", pages, "--key", web.key)).lines).toEqual([
      expect.stringMatching(/^unwise: Pages of every origin/),
    ]);
  });
});

test("two regions that answer with other versions", async () => {
  const models = await temporaryFolder();
  await cp(join(root, "models/iris"), join(models, "iris"), { recursive: true });
  const first = await start("node", { models });
  expect((await doctor("--url", first, "--url", first)).lines).toEqual([]);
  const path = join(models, "iris/1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as object;
  await cp(join(models, "iris/1"), join(models, "iris/2"), { recursive: true });
  const newer = JSON.stringify({ ...manifest, version: "2" });
  await writeFile(join(models, "iris/2/model.json"), newer);
  await writeFile(join(models, "iris/release.json"), JSON.stringify({ stable: "2" }));
  const second = await start("node", { models });
  expect(await doctor("--url", first, "--url", second)).toEqual({
    code: 0,
    lines: [expect.stringMatching(/^unwise: It answers with iris@2, and .* with iris@1/)],
  });
});

test("a store that is down, a server that is none of ours, and none at all", async () => {
  const target = await targets.node();
  onTestFinished(target.stop);
  target.store.behave("down");
  await target.restart();
  const broken = await doctor("--url", target.url ?? "");
  expect(broken.code).toBe(1);
  expect(broken.lines).toEqual([
    expect.stringMatching(/^wrong: \/ready answers 503/),
    "wrong: /v1/models answers 503 store_unavailable.",
  ]);
  const other = createServer((_, response) => void response.end("hello"));
  await new Promise<void>((resolve) => void other.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  expect((await doctor("--url", `http://127.0.0.1:${port}`)).lines).toEqual([
    expect.stringMatching(/^wrong: \/health answers 200: this is no service/),
  ]);
  expect((await doctor("--url", "http://127.0.0.1:1")).lines).toEqual([
    expect.stringMatching(/^wrong: It cannot be reached/),
  ]);
});
