import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { browserPath, startBrowser } from "../harness/browser.ts";
import { targets, type Target } from "../harness/targets.ts";
import { buildPage, openDoor, servePage, type Door, type Listening } from "./local-page.ts";
import type { InPage, Settings } from "./local-page-script.ts";

const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };

describe.skipIf(!browserPath)("a local model in Chromium", () => {
  let target: Target;
  let door: Door;
  let built: Awaited<ReturnType<typeof buildPage>>;
  let host: Listening;
  let browser: Browser;
  let page: Page;
  const refused: string[] = [];
  beforeAll(async () => {
    target = await targets.worker({ env: { CORS_ORIGINS: "*" } });
    [door, built, browser] = await Promise.all([openDoor(target), buildPage(), startBrowser()]);
    host = await servePage(built.site, door.url);
  });
  afterAll(async () => {
    await browser?.close();
    host?.close();
    door?.close();
    await built?.remove();
    await target?.stop();
  });
  afterEach(async () => {
    delete door.before;
    delete door.damage;
    await page.context().close();
    expect(refused).toEqual([]);
  });

  async function openPage(): Promise<void> {
    const context = await browser.newContext();
    page = await context.newPage();
    page.on("console", (message) => {
      if (/Content Security Policy/.test(message.text())) refused.push(message.text());
    });
    await page.goto(host.url);
    await page.waitForFunction("globalThis.inPage");
  }

  type Page_ = typeof globalThis & { inPage: InPage };
  const open = (name: string, options: Settings = {}) =>
    page.evaluate(
      ([url, name, options]) => (globalThis as Page_).inPage.open(name, url, name, options),
      [door.url, name, options] as const,
    );
  const predict = (name: string, inputs: unknown, options = {}) =>
    page.evaluate(
      ([name, inputs, options]) => (globalThis as Page_).inPage.predict(name, inputs, options),
      [name, inputs, options] as const,
    );

  test("iris answers in the page as the service does", async () => {
    await openPage();
    await open("iris", { where: "page" });
    const local = await predict("iris", flower);
    expect(local).toMatchObject({ answer: { where: "page", why: "asked", version: "1" } });
    const response = await target.fetch("/v1/models/iris/predict", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs: flower }),
    });
    const { outputs } = (await response.json()) as { outputs: unknown };
    expect(local.answer?.outputs).toEqual(outputs);
    expect(local.answer?.digest).toBe(response.headers.get("x-model-digest"));
  });
});
