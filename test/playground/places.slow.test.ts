import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { answerByFetch } from "../../cli/local/answer-by-fetch.ts";
import { openDoor } from "../clients/door.ts";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { browserPath, startBrowser } from "../harness/browser.ts";
import { targets } from "../harness/targets.ts";
import { openPage, predict } from "./open-page.ts";
import { listen } from "./serve-app.ts";

describe.skipIf(!browserPath)("in a browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());

  async function isAnswered(url: string): Promise<void> {
    const page = await openPage(browser, url);
    const first = await page.getByRole("heading", { level: 2 }).innerText();
    expect(first).not.toBe("iris");
    await page.getByRole("link", { name: "iris" }).click();
    await page.getByLabel("sepal_length (cm)").waitFor();
    expect(page.url()).toMatch(/\/playground\/iris$/);
    const answer = await predict(page);
    expect(await answer.locator(".headline").innerText()).toMatch(/^setosa/);
    await page.goBack();
    await page.getByRole("heading", { name: first }).waitFor();
    await page.goForward();
    await page.reload();
    await predict(page);
  }

  test.for(["worker", "lambda"] as const)("the page on %s is answered", async (name) => {
    const target = await targets[name]();
    const door = await openDoor(target);
    onTestFinished(async () => {
      door.close();
      await target.stop();
    });
    await isAnswered(door.url);
  });

  test.for(["", "/"])(
    "the page below a path of another app is answered, at /ml/x%s",
    async (slash) => {
      const outer = new Hono().route("/ml/x", app());
      await isAnswered(`${await listen(getRequestListener(outer.fetch))}/ml/x${slash}`);
    },
  );

  test("the page behind a proxy that takes a prefix away is answered", async () => {
    const inner = app();
    const ask = async (path: string, init?: RequestInit) =>
      inner.request(path.replace(/^\/shop/, ""), init);
    const url = await listen((request, response) => void answerByFetch(ask, request, response));
    await isAnswered(`${url}/shop/`);
  });
});

function app() {
  return createApp(createService(createNodePlatform({ STORE: "models", ACCESS_LOG: "false" })));
}
