import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Hono } from "hono";
import { expect, onTestFinished, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { apiKey, keyList } from "../auth/keys.ts";
import { startNodeServer } from "../harness/node-server.ts";

const down = () => Promise.reject(new Error("down"));
const run = promisify(execFile);
const models = join(import.meta.dirname, "../../models");

function open(env: Record<string, string> = {}) {
  return createApp(
    createService(createNodePlatform({ STORE: models, ACCESS_LOG: "false", ...env })),
  );
}

test("the page names what is served, and its command is answered", async () => {
  const server = await startNodeServer({ env: { STORE: models } });
  onTestFinished(async () => void (await server.stop()));
  const response = await server.fetch("/");
  expect(response.headers.get("content-type")).toBe("text/html; charset=UTF-8");
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  const page = await response.text();
  for (const name of ["iris", "sentiment", "digits"])
    expect(page).toContain(`<a href="./v1/models/${name}">${name}</a>`);
  expect(page).toContain('href="./docs"');
  const command = (/<pre>([^]*?)<\/pre>/.exec(page)?.[1] ?? "")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'");
  const { stdout } = await run("sh", ["-c", command]);
  expect(JSON.parse(stdout)).toMatchObject({ model: "iris", outputs: { label: "setosa" } });
});

test("where keys are asked for it says so, and nothing of the models", async () => {
  const app = open({ API_KEYS: keyList(apiKey("web")) });
  const response = await app.request("/");
  const page = await response.text();
  expect(response.status).toBe(200);
  expect(page).toContain("It asks for a key or token");
  expect(page).not.toContain("iris");
});

test("what a manifest says is text on the page, and links begin where the app is mounted", async () => {
  const store = await mkdtemp(join(tmpdir(), "nearcast-landing-"));
  onTestFinished(() => rm(store, { recursive: true }));
  await cp(join(models, "iris"), join(store, "iris"), { recursive: true });
  const path = join(store, "iris/1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...manifest, description: "<script>alert(1)</script>" }));
  const outer = new Hono().route("/ml", open({ STORE: store }));
  const page = await (await outer.request("/ml")).text();
  expect(page).not.toContain("<script>alert");
  expect(page).toContain("&lt;script&gt;");
  expect(page).toContain('href="/ml/docs"');
  expect(page).toContain("http://localhost/ml/v1/models/iris/predict");
});

test("without its store there is a page all the same", async () => {
  const platform = createNodePlatform({ STORE: models, ACCESS_LOG: "false" });
  const store = { ...platform.store, list: down, get: down };
  const app = createApp(createService({ ...platform, store, log: () => undefined }));
  const response = await app.request("/");
  expect(response.status).toBe(200);
  expect(await response.text()).toContain("No model is released yet");
});
