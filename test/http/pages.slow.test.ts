import { describe, expect, onTestFinished, test } from "vitest";
import { brokenRules, browserPath, useBrowserAndServer, WIDTHS } from "../harness/browser.ts";

describe.skipIf(!browserPath)("in a browser", () => {
  const its = useBrowserAndServer();

  test.for(WIDTHS)("the first page names the models, %i pixels wide", async (width) => {
    const page = await its.browser.newPage({ viewport: { width, height: 900 } });
    onTestFinished(() => page.close());
    await page.goto(its.server.url);
    await page.getByRole("button", { name: "Predict" }).waitFor();
    expect(await page.getByRole("link", { name: "iris" }).isVisible()).toBe(true);
    const widest = await page.evaluate("document.documentElement.scrollWidth");
    expect(widest).toBeLessThanOrEqual(width);
    expect(await brokenRules(page)).toEqual({});
  });

  test("the description of the API can be read and tried", async () => {
    const page = await its.browser.newPage();
    onTestFinished(() => page.close());
    const errors: string[] = [];
    page.on("console", (line) => line.type() === "error" && errors.push(line.text()));
    await page.goto(`${its.server.url}/docs`);
    await page.getByText("/v1/models/iris/predict").first().waitFor();
    expect(errors).toEqual([]);
  });
});
