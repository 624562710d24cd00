import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { urlOf } from "../functions/platform/node-start.ts";
import { START, startNodeServer } from "./harness/node-server.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");

/** Runs what `npm start` runs, until it gives up. */
async function failedStart(env: Record<string, string>, cwd = root) {
  const [entry = "", ...rest] = START.toReversed();
  const args = [...rest.toReversed(), join(root, entry)];
  const child = spawn(process.execPath, args, {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    // It has started after all.
    child.kill("SIGKILL");
  });
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

describe("a server that cannot start ends with 1 and one line that says why", () => {
  test.each([
    [{ PORT: "many" }, 'PORT: must be a whole number from 0 to 65535, not "many"'],
    [{ RATE_LIMT: "1/60s" }, "RATE_LIMT is not a variable of Nearcast: did you mean RATE_LIMIT?"],
    [{ RATE_LIMIT_TABLE: "limits" }, "RATE_LIMIT_TABLE: is for Lambda, not for Node"],
    [{ STORE: "modelz" }, `STORE: there is no folder ${root}/modelz: did you mean models?`],
    [{ STORE: "package.json" }, `STORE: ${root}/package.json is a file, not a folder`],
    [{ STORE: "nowhere/models" }, "nowhere/models: it must be a folder with models, or s3://"],
    [{ STORE: "r2://MODELS" }, "STORE must be a folder or s3://bucket/prefix here"],
    // RFC 5737: addresses for documentation, which no machine has.
    [{ HOST: "192.0.2.1", AUTH: "none" }, "HOST: 192.0.2.1 is not an address of this machine"],
  ])("%j", async (env, line) => {
    const { code, stdout, stderr } = await failedStart(env);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(`nearcast: `);
    expect(stderr).toContain(line);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  test("a port that is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await failedStart({ PORT: String(port) });
    expect(code).toBe(1);
    expect(stderr).toBe(
      `nearcast: Port ${port} of 127.0.0.1 is taken by another program. Choose another as PORT, or GRPC_PORT, such as ${port + 1}, or 0 for a free one.\n`,
    );
  });

  test("several variables, a line each", async () => {
    const { stderr } = await failedStart({ THREADS: "0", MAX_BATCH: "all" });
    expect(stderr.trimEnd().split("\n")).toHaveLength(2);
  });
});

/** A store with these of the shipped models. */
async function storeWith(...models: string[]): Promise<string> {
  const store = await mkdtemp(join(tmpdir(), "nearcast-start-"));
  onTestFinished(() => rm(store, { recursive: true, force: true }));
  for (const name of models)
    await cp(join(root, "models", name), join(store, name), { recursive: true });
  return store;
}

async function started(env: Record<string, string>) {
  const server = await startNodeServer({ cwd: root, env });
  onTestFinished(async () => void (await server.stop()));
  await expect.poll(() => server.logs).toMatch(/\n\n$/);
  return server;
}

/** The command that the server printed, run by a shell. */
async function printed(logs: string, env: Record<string, string> = {}): Promise<unknown> {
  const [command = ""] = /curl [^]*$/.exec(logs.trimEnd()) ?? [];
  const { stdout } = await run("sh", ["-c", command], { env: { ...process.env, ...env } });
  return JSON.parse(stdout);
}

test.each([
  ["127.0.0.1", "http://localhost:80"],
  ["::", "http://localhost:80"],
  ["0.0.0.0", "http://localhost:80"],
  ["127.0.0.2", "http://127.0.0.2:80"],
  ["10.1.2.3", "http://10.1.2.3:80"],
  ["fe80::1", "http://[fe80::1]:80"],
])("a server on %s is at %s", (host, url) => expect(urlOf(host, 80)).toBe(url));

describe("the banner", () => {
  test.each([
    ["sentiment", { model: "sentiment", outputs: { label: "positive" } }],
    ["digits", { model: "digits", version: "1" }],
    ["retail", { model: "retail" }],
    ["diabetes", { model: "diabetes" }],
  ])("has a request that works where only %s is served", async (model, answer) => {
    const server = await started({ STORE: await storeWith(model) });
    expect(server.logs).toContain(`${server.url}/docs  to read`);
    expect(server.logs).toContain(`${server.url}/      what is served`);
    expect(await printed(server.logs)).toMatchObject(answer);
  });

  test("shows a model that answers where the manifest of another is wrong", async () => {
    const store = await storeWith("sentiment");
    await mkdir(join(store, "wrong/1"), { recursive: true });
    await writeFile(join(store, "wrong/release.json"), JSON.stringify({ stable: "1" }));
    await writeFile(join(store, "wrong/1/model.json"), '{ "examples": [null, { "input": {} }] }');
    const { logs } = await started({ STORE: store });
    expect(await printed(logs)).toMatchObject({ model: "sentiment" });
  });

  test("quotes what a shell would take for its own", async () => {
    const store = await storeWith("sentiment");
    const path = join(store, "sentiment/1/model.json");
    const manifest = JSON.parse(await readFile(path, "utf8")) as object;
    const examples = [{ input: `It's "good" & $HOME` }];
    await writeFile(path, JSON.stringify({ ...manifest, examples }));
    const { logs } = await started({ STORE: store });
    expect(logs).toContain(String.raw`-d '{"inputs": "It'\''s \"good\" & $HOME"}'`);
    expect(await printed(logs)).toHaveProperty("outputs");
  });

  test("sends a key where one is asked for", async () => {
    const key = "a-key-that-somebody-has";
    const sha256 = createHash("sha256").update(key).digest("hex");
    const API_KEYS = JSON.stringify([{ name: "web", sha256 }]);
    const { logs } = await started({ API_KEYS });
    expect(logs).toContain("It asks for a key or token.");
    expect(await printed(logs, { KEY: key })).toMatchObject({ model: "iris" });
    expect(await printed(logs, { KEY: "another" })).toMatchObject({ code: "unauthorized" });
  });

  test("lists the models where none is released", async () => {
    const store = await storeWith("sentiment");
    await rm(join(store, "sentiment/release.json"));
    await mkdir(join(store, "broken"));
    await writeFile(join(store, "broken/release.json"), "{");
    const { logs } = await started({ STORE: store });
    expect(logs).toContain("See what is released:");
    expect(await printed(logs)).toMatchObject({ models: [] });
  });

  test("says how to be let in where nobody is, and shows no request", async () => {
    const { logs } = await started({ HOST: "0.0.0.0" });
    expect(logs).toContain("answers nothing but health: set API_KEYS");
    expect(logs).not.toContain("curl");
  });
});
