import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { targets } from "../harness/targets.ts";
import { openDoor } from "./door.ts";
import { findBrowser } from "./tools.ts";

const browser = findBrowser();
if (!browser)
  console.log("There is no Chromium: the tests in a page are skipped. CHROME_PATH names one.");

let pages: Server;
let origin: string;
let reported: (report: unknown) => void;

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

/** What the page reports of the service at this address. */
async function openPage(url: string): Promise<unknown> {
  const profile = await mkdtemp(join(tmpdir(), "nearcast-page-"));
  const flags = ["--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const report = new Promise<unknown>((resolve) => (reported = resolve));
  const args = [...flags, ...sandbox, `--user-data-dir=${profile}`, `${origin}/#${url}`];
  const child = spawn(browser ?? "", args, { stdio: "ignore" });
  onTestFinished(async () => {
    if (child.exitCode === null && child.kill()) await once(child, "exit");
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  });
  return report;
}

describe.skipIf(!browser)("a page of another origin", () => {
  beforeAll(servePage);
  afterAll(() => void pages?.close());

  test.each(["node", "worker", "lambda"] as const)(
    "asks %s with OpenAI's package, with the own client, and in binary",
    async (name) => {
      const target = await targets[name]({ env: { CORS_ORIGINS: origin } });
      const door = await openDoor(target);
      onTestFinished(async () => {
        door.close();
        await target.stop();
      });
      expect(await openPage(door.url)).toEqual({
        lengths: [128, 128],
        requestId: expect.any(String),
        models: expect.arrayContaining(["iris", "search"]),
        error: "model_not_found",
        predicted: expect.objectContaining({ label: "setosa" }),
        binary: 12,
      });
    },
  );

  test("reads nothing where the service does not name its origin", async () => {
    const target = await targets.node({ env: { CORS_ORIGINS: "https://other.example" } });
    onTestFinished(() => target.stop());
    const door = await openDoor(target);
    expect(await openPage(door.url)).toEqual({ failed: expect.stringContaining("Connection") });
  });
});
