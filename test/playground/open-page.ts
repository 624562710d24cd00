import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";

/** Opens a page of its own. At the test's end it must have written no error, and broken no policy. */
export async function openPage(
  browser: Browser,
  url: string,
  { expected = /^$/, ...options }: BrowserContextOptions & { expected?: RegExp } = {},
): Promise<Page> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("console", (line) => line.type() === "error" && errors.push(line.text()));
  page.on("pageerror", (error) => errors.push(error.message));
  onTestFinished(async () => {
    await context.close();
    expect(errors.filter((error) => !expected.test(error))).toEqual([]);
  });
  await page.goto(url);
  return page;
}

/** Presses the button, and gives the answer to that: an older one stays until it has come. */
export async function predict(page: Page) {
  const answered = page.waitForResponse(/\/predict(\?|$)/);
  await page.getByRole("button", { name: "Predict" }).click();
  await answered;
  await page.getByRole("button", { name: "Stop" }).waitFor({ state: "hidden" });
  const answer = page.getByRole("region", { name: "Answer", exact: true });
  await answer.getByText("Request").waitFor();
  return answer;
}
