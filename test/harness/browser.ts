import axe from "axe-core";
import { chromium, type Browser, type Page } from "playwright-core";
import { findBrowser } from "../clients/tools.ts";

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

/** The rules of accessibility that the page breaks, each with the elements that do. */
export async function brokenRules(page: Page): Promise<Record<string, string[]>> {
  // Not by a script element, which a strict policy forbids.
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate("axe.run()")) as axe.AxeResults;
  return Object.fromEntries(
    violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))]),
  );
}
