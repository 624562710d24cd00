import { createHash } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import type { ApiKeyEntry } from "../../functions/auth/api-keys.ts";
import { startNodeServer } from "../harness/node-server.ts";
import { nearcast, root, succeed } from "./nearcast.ts";

async function makeKey(...flags: string[]) {
  const [key = "", entry = "", rest] = (await succeed(["key", ...flags])).split("\n");
  expect(rest).toBe("");
  return { key, entry: JSON.parse(entry) as ApiKeyEntry };
}

test("key makes a key and the entry that lets it in", async () => {
  const { key, entry } = await makeKey("--name", "web");
  expect(key).toMatch(/^nc_[\w-]{43}$/);
  const sha256 = createHash("sha256").update(key).digest("hex");
  expect(entry).toEqual({ name: "web", sha256, scopes: ["predict", "read"] });
  expect((await makeKey("--name", "web")).key).not.toBe(key);

  const server = await startNodeServer({
    cwd: root,
    env: { API_KEYS: JSON.stringify([entry]) },
  });
  onTestFinished(async () => void (await server.stop()));
  const status = async (headers: Record<string, string>) =>
    (await server.fetch("/v1/models", { headers })).status;
  expect(await status({ "X-API-Key": key })).toBe(200);
  expect(await status({})).toBe(401);
});

test("key takes scopes, models, a rate and a date", async () => {
  const flags = ["--scopes", "predict,admin", "--models", "iris,search", "--rate", "100/60s"];
  const { entry } = await makeKey("--name", "batch", ...flags, "--expires", "2027-01-31");
  expect(entry).toMatchObject({
    scopes: ["predict", "admin"],
    models: ["iris", "search"],
    rate: "100/60s",
    expires: "2027-01-31",
  });
});

test("key refuses what the server would not take, and says what to give", async () => {
  const flags = ["--name", "a/b", "--scopes", "write", "--rate", "5", "--expires", "tomorrow"];
  const { code, stdout, stderr } = await nearcast(["key", ...flags]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  for (const flag of ["--name: ", "--scopes: ", "--rate: ", "--expires: must be like 2027-01-31"])
    expect(stderr).toContain(flag);
  expect(await nearcast(["key"])).toMatchObject({ code: 2, stdout: "" });
  expect(await succeed(["key", "--help"])).toContain("--expires");
});
