import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { browserPath, startBrowser } from "../harness/browser.ts";
import { expectClose, expectSame } from "../harness/close.ts";
import { shippedModels } from "../harness/models.ts";
import { targets, type Target } from "../harness/targets.ts";
import { buildPage, lose, openDoor, servePage, type Door, type Listening } from "./local-page.ts";
import type { InPage, Settings } from "./local-page-script.ts";

const root = join(import.meta.dirname, "../..");
const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
/** How many rows are asked for at once. */
const BATCH = 100;
/** Of a run that does not end while a test waits for it. */
const ENDLESS = { iterations: { datatype: "INT64", shape: [1], data: [1_000_000_000] } };
const SHORT = { iterations: { datatype: "INT64", shape: [1], data: [3] } };
const JSON_TYPE = { "Content-Type": "application/json" };

type Its = typeof globalThis & { inPage: InPage };

async function outputsOf(target: Target, model: string, inputs: unknown) {
  const body = JSON.stringify({ inputs });
  const answer = await target.fetch(`/v1/models/${model}/predict`, {
    method: "POST",
    headers: JSON_TYPE,
    body,
  });
  return ((await answer.json()) as { outputs: unknown }).outputs;
}

describe.skipIf(!browserPath)("a local model in a page, under a strict policy", () => {
  let edge: Target;
  let native: Target;
  let door: Door;
  let built: Awaited<ReturnType<typeof buildPage>>;
  let host: Listening;
  let browser: Browser;
  let page: Page;
  let forbidden: string[];

  beforeAll(async () => {
    const env = { CORS_ORIGINS: "*", RELEASE_TTL_SECONDS: "0" };
    [edge, native] = await Promise.all([targets.worker({ env }), targets.node()]);
    const slow = join(root, "test/fixtures/slow/1");
    const manifest = JSON.parse(await readFile(join(slow, "model.json"), "utf8")) as object;
    const release = JSON.stringify({ stable: "1" });
    for (const [name, own] of Object.entries({ slow: { browser: true }, closed: {} })) {
      await edge.store.put(`${name}/1/model.onnx`, await readFile(join(slow, "model.onnx")));
      await edge.store.put(`${name}/1/model.json`, JSON.stringify({ ...manifest, ...own, name }));
      await edge.store.put(`${name}/release.json`, release);
    }
    const iris = JSON.parse(await readFile(join(root, "models/iris/1/model.json"), "utf8"));
    const { browser: _browser, ...notForPages } = iris;
    await edge.store.put(
      "iris/2/model.onnx",
      await readFile(join(root, "models/iris/1/model.onnx")),
    );
    await edge.store.put("iris/2/model.json", JSON.stringify({ ...notForPages, version: "2" }));
    [door, built, browser] = await Promise.all([openDoor(edge), buildPage(), startBrowser()]);
    host = await servePage(built.site, door.url);
  });
  afterAll(async () => {
    await browser?.close();
    host?.close();
    door?.close();
    await built?.remove();
    await Promise.all([edge?.stop(), native?.stop()]);
  });

  beforeEach(async () => {
    forbidden = [];
    page = await (await browser.newContext()).newPage();
    page.on("console", (message) => {
      if (/Content Security Policy/.test(message.text())) forbidden.push(message.text());
    });
    await enter();
  });
  afterEach(async () => {
    delete door.before;
    delete door.damage;
    await page.context().close();
    expect(forbidden).toEqual([]);
  });

  async function enter(): Promise<void> {
    await page.goto(host.url);
    await page.waitForFunction("globalThis.inPage");
  }
  const open = (name: string, settings: Settings = {}) =>
    page.evaluate(
      ([url, name, settings]) => (globalThis as Its).inPage.open(name, url, name, settings),
      [door.url, name, settings] as const,
    );
  const predict = (name: string, inputs: unknown, options = {}) =>
    page.evaluate(
      ([name, inputs, options]) => (globalThis as Its).inPage.predict(name, inputs, options),
      [name, inputs, options] as const,
    );
  const update = (name: string) =>
    page.evaluate((name) => (globalThis as Its).inPage.update(name), name);
  const cached = () => page.evaluate(() => (globalThis as Its).inPage.cached());
  const release = (name: string, version: string) =>
    edge.store.put(`${name}/release.json`, JSON.stringify({ stable: version }));

  /** Asks until the answer comes from there for this reason. */
  const answersFrom = (name: string, inputs: unknown, expected: object) =>
    vi.waitFor(
      async () => expect(await predict(name, inputs)).toMatchObject({ answer: expected }),
      { timeout: 60_000, interval: 100 },
    );

  test.each(shippedModels.map((model) => [model.manifest.name, model] as const))(
    "%s: every held-out row has workerd's answer, bit for bit, and native labels",
    async (name, { manifest, heldout }) => {
      door.asked.length = 0;
      await open(name, { where: "page" });
      const inputs = heldout.map(({ input }) => input);
      for (let at = 0; at < inputs.length; at += BATCH) {
        const rows = inputs.slice(at, at + BATCH);
        const { answer } = await predict(name, rows);
        expect(answer).toMatchObject({ where: "page", why: "asked", version: manifest.version });
        expect(answer?.digest).toBe(`sha256:${manifest.artifact.sha256}`);
        expectSame(manifest.task, answer?.outputs, await outputsOf(edge, name, rows));
        expectClose(answer?.outputs, await outputsOf(native, name, rows), 1e-4);
      }
      expect(door.asked.filter((path) => path.startsWith("POST"))).toEqual([]);
    },
  );

  test("the service answers while the page loads, then the page does", async () => {
    await open("iris");
    expect(await predict("iris", flower)).toMatchObject({
      answer: { where: "edge", why: "loading", outputs: { label: "setosa" } },
    });
    await answersFrom("iris", flower, { where: "page", why: "loaded", version: "1" });
  });

  test("wrong inputs have the service's code, status and paths", async () => {
    const wrong = [flower, { ...flower, sepal_width: 50, petal_with: 1 }];
    await open("iris", { where: "page" });
    const { code, status, errors, detail } = await predict("iris", wrong);
    const answer = await edge.fetch("/v1/models/iris/predict", {
      method: "POST",
      headers: JSON_TYPE,
      body: JSON.stringify({ inputs: wrong }),
    });
    const problem = (await answer.json()) as Record<string, unknown>;
    expect({ code, status, errors, detail }).toEqual({
      code: problem["code"],
      status: answer.status,
      errors: problem["errors"],
      detail: problem["detail"],
    });
    expect(errors).not.toEqual([]);
    expect(await page.evaluate(() => (globalThis as Its).inPage.told())).toEqual(["invalid_input"]);
  });

  test("without a network it answers, at once and after the page was opened again", async () => {
    await open("sentiment");
    await answersFrom("sentiment", "Great phone.", { where: "page" });
    await page.context().setOffline(true);
    expect(await predict("sentiment", "Great phone.")).toMatchObject({
      answer: { where: "page", why: "loaded", outputs: { label: "positive" } },
    });
    await page.context().setOffline(false);
    // The page's host is there. The service is not.
    door.before = lose;
    await enter();
    await open("sentiment");
    expect(await predict("sentiment", "Great phone.")).toMatchObject({
      answer: { where: "page", why: "edge_failed", outputs: { label: "positive" } },
    });
    // What was never loaded is not there.
    await open("iris");
    expect(await predict("iris", flower)).toMatchObject({ code: "network" });
  });

  test("another release is loaded while the page is open, and the old one is removed", async () => {
    await open("digits", { checkEveryMs: 50 });
    const image = (await readFile(join(root, "models/digits/seven.png"))).toString("base64");
    await answersFrom("digits", image, { where: "page", version: "1", outputs: { label: "7" } });
    const [first] = shippedModels.flatMap(({ manifest }) =>
      manifest.name === "digits" ? manifest.artifact.sha256 : [],
    );
    expect((await cached()).join()).toContain(first);
    await release("digits", "2");
    try {
      await answersFrom("digits", image, { where: "page", version: "2", outputs: { label: "7" } });
      expect((await cached()).join()).not.toContain(first);
      expect(page.workers()).toHaveLength(1);
    } finally {
      await release("digits", "1");
    }
  });

  test("a damaged file is refused, and the service answers", async () => {
    door.damage = (_path, bytes) => bytes.map((byte, index) => (index === 1000 ? byte ^ 1 : byte));
    await open("iris");
    expect(await update("iris")).toMatchObject({ code: "model_corrupt" });
    expect(await update("iris")).toMatchObject({ code: "model_corrupt" });
    expect(await predict("iris", flower)).toMatchObject({
      answer: { where: "edge", why: "page_failed", outputs: { label: "setosa" } },
    });
    expect((await cached()).filter((url) => !/runtime|release$/.test(url))).toEqual([]);
    expect(page.workers()).toEqual([]);
  });

  test("a kept file that was changed is fetched again", async () => {
    await open("iris", { where: "page" });
    await predict("iris", flower);
    const { artifact } = shippedModels.find(({ manifest }) => manifest.name === "iris")!.manifest;
    await page.evaluate(async (sha256) => {
      const cache = await caches.open("nearcast");
      const key = (await cache.keys()).find(({ url }) => url.endsWith(sha256));
      if (!key) throw new Error("it is not kept");
      const bytes = new Uint8Array(await (await cache.match(key))!.arrayBuffer());
      bytes[1000]! ^= 1;
      await cache.put(key, new Response(bytes));
    }, artifact.sha256);
    await enter();
    door.asked.length = 0;
    await open("iris", { where: "page" });
    expect(await predict("iris", flower)).toMatchObject({ answer: { where: "page" } });
    expect(door.asked).toContain("GET /v1/models/iris/versions/1/files/model.onnx");
  });

  test("what is kept has a bound: what the page does not use makes room, the oldest first", async () => {
    await open("iris", { where: "page" });
    await predict("iris", flower);
    const inUse = await cached();
    expect(inUse.some((url) => url.includes("runtime"))).toBe(true);
    await page.evaluate(async () => {
      const cache = await caches.open("nearcast");
      // Only their lengths are read.
      const headers = { "Content-Length": String(150 * 1024 * 1024) };
      for (const name of ["older", "newer"])
        await cache.put(`https://nearcast.invalid/${name}/0`, new Response("", { headers }));
    });
    await open("diabetes", { where: "page" });
    await update("diabetes");
    const others = (await cached()).filter((url) => !url.includes("diabetes"));
    expect(others).toEqual([...inUse, "https://nearcast.invalid/newer/0"]);
  });

  test("a version that does not opt in is never asked for, and runs at the service", async () => {
    door.asked.length = 0;
    await open("closed");
    await answersFrom("closed", SHORT, { where: "edge", why: "not_for_pages" });
    expect(await update("closed")).toMatchObject({ code: "not_in_page" });
    expect(door.asked.filter((path) => path.includes("/files/"))).toEqual([]);
  });

  test("a release that does not opt in ends the one that runs, and nothing of it stays", async () => {
    await open("iris", { checkEveryMs: 50 });
    await answersFrom("iris", flower, { where: "page", version: "1" });
    await release("iris", "2");
    try {
      await answersFrom("iris", flower, { where: "edge", why: "not_for_pages", version: "2" });
      expect((await cached()).filter((url) => url.includes("iris"))).toEqual([]);
      expect(page.workers()).toEqual([]);
    } finally {
      await release("iris", "1");
    }
  });

  test("a run that hangs ends with its worker, and another worker goes on", async () => {
    await open("slow", { where: "page", runTimeoutMs: 1500 });
    await predict("slow", SHORT);
    expect(page.workers()).toHaveLength(1);
    const [hung, waiting] = await Promise.all([predict("slow", ENDLESS), predict("slow", SHORT)]);
    expect(hung).toMatchObject({ code: "deadline_exceeded", status: 504 });
    expect(waiting).toMatchObject({ answer: { where: "page", outputs: { y: expect.anything() } } });
    // Browsers let a script that loops run for some seconds more.
    await vi.waitFor(() => expect(page.workers()).toHaveLength(1), 30_000);
    expect(await predict("slow", ENDLESS, { timeoutMs: 200 })).toMatchObject({ code: "timeout" });
    await page.evaluate(() => (globalThis as Its).inPage.close("slow"));
    await vi.waitFor(() => expect(page.workers()).toEqual([]), 30_000);
    expect(await predict("slow", SHORT)).toMatchObject({ code: "not_in_page" });
  });

  test("where the page is slow, the service answers", async () => {
    await open("slow", { switchAfterMs: 100, runTimeoutMs: 5000 });
    await update("slow");
    door.before = (request, response) => {
      if (request.method !== "POST") return false;
      const answer = { model: "slow", version: "1", outputs: "canned" };
      response.writeHead(200, { ...JSON_TYPE, "Access-Control-Allow-Origin": "*" });
      response.end(JSON.stringify(answer));
      return true;
    };
    expect(await predict("slow", ENDLESS)).toMatchObject({
      answer: { where: "edge", why: "page_slow", outputs: "canned" },
    });
  });

  test("where the service is slow, the page answers once it can", async () => {
    door.before = (request) => request.method === "POST" && new Promise<boolean>(() => undefined);
    await open("iris", { switchAfterMs: 100 });
    expect(await predict("iris", flower)).toMatchObject({
      answer: { where: "page", why: "edge_slow", outputs: { label: "setosa" } },
    });
  });

  test.each([
    [
      "save_data",
      "Object.defineProperty(Navigator.prototype, 'connection', { get: () => ({ saveData: true }) })",
      {},
    ],
    [
      "little_memory",
      "Object.defineProperty(Navigator.prototype, 'deviceMemory', { get: () => 0.5 })",
      {},
    ],
    ["too_large", "", { maxBytes: 1000 }],
    ["unsupported", "delete globalThis.Worker", {}],
  ])("%s: the service answers, and the page fetches no file", async (why, script, settings) => {
    await page.addInitScript(script);
    await enter();
    door.asked.length = 0;
    await open("iris", settings);
    await answersFrom("iris", flower, { where: "edge", why, outputs: { label: "setosa" } });
    expect(door.asked.filter((path) => path.includes("/files/"))).toEqual([]);
    expect(page.workers()).toEqual([]);
  });
});
