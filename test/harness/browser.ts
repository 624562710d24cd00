import { execFileSync } from "node:child_process";
import axe from "axe-core";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { runs } from "../clients/tools.ts";
import { startFirefox } from "./firefox.ts";
import { startNodeServer, type NodeServer } from "./node-server.ts";

/** A desk's and a phone's, in pixels. */
export const WIDTHS = [1280, 390] as const;

const CHROMIUM = {
  name: "Chromium",
  variable: "CHROME_PATH",
  commands: ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"],
};
const FIREFOX = {
  name: "Firefox",
  variable: "FIREFOX_PATH",
  commands: ["firefox-esr", "firefox"],
};

/** Whether the pages are opened in Firefox: `BROWSER=firefox`. Otherwise in Chromium. */
export const isFirefox = process.env["BROWSER"] === "firefox";
const { name, variable, commands } = isFirefox ? FIREFOX : CHROMIUM;

/** The path of the browser. Undefined if there is none, with a line that says what is skipped. */
export const browserPath = findBrowser();
if (!browserPath)
  console.log(`There is no ${name}: the tests in a page are skipped. ${variable} names one.`);

function findBrowser(): string | undefined {
  const found = [process.env[variable] ?? "", ...commands].find(
    (command) => command && runs(command, "--version"),
  );
  if (found === undefined) return undefined;
  return execFileSync("sh", ["-c", 'command -v "$0"', found], { encoding: "utf8" }).trim();
}

/** Starts the browser without a screen, with a camera that shows a moving pattern. */
export function startBrowser(): Promise<Browser> {
  if (isFirefox) return startFirefox(browserPath ?? "");
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const camera = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"];
  const args = ["--disable-dev-shm-usage", "--no-first-run", ...sandbox, ...camera];
  return chromium.launch({ ...(browserPath && { executablePath: browserPath }), args });
}

/** A browser and a server for the tests of a file. They are there once a test runs. */
export function useBrowserAndServer(): {
  readonly browser: Browser;
  readonly server: NodeServer;
} {
  const used = {} as { browser: Browser; server: NodeServer };
  beforeAll(async () => {
    [used.browser, used.server] = await Promise.all([startBrowser(), startNodeServer()]);
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
