import axe from "axe-core";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { findBrowser } from "../clients/tools.ts";
import { startNodeServer, type NodeServer } from "./node-server.ts";

/** A desk's and a phone's, in pixels. */
export const WIDTHS = [1280, 390] as const;

/** The path of a browser. Undefined if there is none, with a line that says what is skipped. */
export const browserPath = findBrowser();
if (!browserPath)
  console.log("There is no Chromium: the tests in a page are skipped. CHROME_PATH names one.");

/** Starts a browser without a screen, with these arguments too. */
export function startBrowser(own: readonly string[] = []): Promise<Browser> {
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const args = ["--disable-dev-shm-usage", "--no-first-run", ...sandbox, ...own];
  return chromium.launch({ ...(browserPath && { executablePath: browserPath }), args });
}

/** A browser and a server for the tests of a file. The browser gets these arguments too. They are there once a test runs. */
export function useBrowserAndServer(own: readonly string[] = []): {
  readonly browser: Browser;
  readonly server: NodeServer;
} {
  const used = {} as { browser: Browser; server: NodeServer };
  beforeAll(async () => {
    [used.browser, used.server] = await Promise.all([startBrowser(own), startNodeServer()]);
  });
  afterAll(async () => {
    await used.browser?.close();
    await used.server?.stop();
  });
  return used;
}

/** The rules of accessibility that the page breaks, each with the elements that do. */
export async function brokenRules(page: Page): Promise<Record<string, string[]>> {
  // Not by a script element, which a strict policy forbids.
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate("axe.run()")) as axe.AxeResults;
  return Object.fromEntries(
    violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))]),
  );
}
