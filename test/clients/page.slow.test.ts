import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { apiKey, keyList } from "../auth/keys.ts";
import { clientModels } from "../client/models.ts";
import { browserPath, startBrowser } from "../harness/browser.ts";
import { targets, type StartTarget } from "../harness/targets.ts";
import { startJobsOnLambda } from "../jobs/started-lambda.ts";
import { openDoor } from "./door.ts";
import type { Addressed } from "./page-script.ts";

let browser: Browser;
let models: string;
let pages: Server;
let origin: string;
let reported: (report: unknown) => void;

const page = apiKey("page");

/** The platforms with jobs. */
const PLATFORMS: Record<string, StartTarget> = {
  async node({ env, ...options } = {}) {
    const folder = await mkdtemp(join(tmpdir(), "nearcast-page-jobs-"));
    const target = await targets.node({
      ...options,
      env: { ...env, JOBS_FILE: join(folder, "jobs.sqlite") },
    });
    onTestFinished(async () => {
      await target.stop();
      await rm(folder, { recursive: true });
    });
    return target;
  },
  async worker(options) {
    const target = await targets.worker({ ...options, queues: true });
    onTestFinished(target.stop);
    return target;
  },
  async lambda(options) {
    const { target, work } = await startJobsOnLambda(options);
    work();
    return target;
  },
};

/** The page's own origin: its document, its script, and where it reports to. */
async function servePage(): Promise<void> {
  const script = join(import.meta.dirname, "page-script.ts");
  const bundled = await build({
    entryPoints: [script],
    bundle: true,
    format: "esm",
    write: false,
    logLevel: "silent",
  });
  const text = bundled.outputFiles[0]?.text;
  pages = createServer(async (request, response) => {
    if (request.url === "/report") {
      reported(JSON.parse(Buffer.concat(await request.toArray()).toString()));
      return void response.end();
    }
    const isScript = request.url === "/script.js";
    response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? text : '<script type="module" src="/script.js"></script>');
  });
  await new Promise<void>((resolve) => void pages.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
}

/** What the page reports of this service. */
async function openPage(addressed: Addressed): Promise<unknown> {
  const report = new Promise<unknown>((resolve) => (reported = resolve));
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  await page.goto(`${origin}/#${encodeURIComponent(JSON.stringify(addressed))}`);
  return report;
}

describe.skipIf(!browserPath)("a page of another origin", () => {
  beforeAll(async () => {
    models = await clientModels();
    await servePage();
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    pages?.close();
    if (models) await rm(models, { recursive: true });
  });

  test.each(Object.entries(PLATFORMS))(
    "asks %s with a key: with OpenAI's package, with every call of the own client, and in binary",
    async (_name, start) => {
      const target = await start({
        models,
        env: { CORS_ORIGINS: origin, AUTH: "", API_KEYS: keyList(page) },
      });
      const door = await openDoor(target);
      onTestFinished(door.close);
      expect(await openPage({ url: door.url, key: page.key })).toEqual({
        lengths: [128, 128],
        requestId: expect.any(String),
        models: expect.arrayContaining(["iris", "search"]),
        error: "model_not_found",
        predicted: expect.objectContaining({ label: "setosa" }),
        sizes: [128, 128],
        ranked: ["a phone", "bread"],
        statuses: ["queued", "running", "succeeded"],
        answered: [expect.objectContaining({ label: "setosa" })],
        ended: "succeeded",
        gone: ["not_found", "0af7651916cd43dd8448eb211c80319c"],
        feedback: "counted",
        binary: 12,
      });
    },
  );

  test("reads nothing where the service does not name its origin", async () => {
    const target = await targets.node({ env: { CORS_ORIGINS: "https://other.example" } });
    onTestFinished(() => target.stop());
    const door = await openDoor(target);
    const reported = await openPage({ url: door.url, key: "none" });
    expect(reported).toEqual({ failed: expect.stringContaining("Connection") });
  });
});
