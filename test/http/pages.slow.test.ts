import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { brokenRules, browserPath, startBrowser, WIDTHS } from "../harness/browser.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";

describe.skipIf(!browserPath)("in a browser", () => {
  let browser: Browser;
  let server: NodeServer;
  beforeAll(async () => {
    [browser, server] = await Promise.all([startBrowser(), startNodeServer()]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  test.for(WIDTHS)("the first page names the models, %i pixels wide", async (width) => {
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    onTestFinished(() => page.close());
    await page.goto(server.url);
    await page.getByRole("button", { name: "Predict" }).waitFor();
    expect(await page.getByRole("link", { name: "iris" }).isVisible()).toBe(true);
    const widest = await page.evaluate("document.documentElement.scrollWidth");
    expect(widest).toBeLessThanOrEqual(width);
    expect(await brokenRules(page)).toEqual({});
  });

  test("the description of the API can be read and tried", async () => {
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    const errors: string[] = [];
    page.on("console", (line) => line.type() === "error" && errors.push(line.text()));
    await page.goto(`${server.url}/docs`);
    await page.getByText("/v1/models/iris/predict").first().waitFor();
    expect(errors).toEqual([]);
  });
});
