import { getRequestListener } from "@hono/node-server";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { brokenRules, browserPath, startBrowser, WIDTHS } from "../harness/browser.ts";
import { chooseFile } from "../harness/person.ts";
import { addReader, recordedTexts } from "../tasks/image-to-text.ts";
import { openPage, predict } from "./open-page.ts";
import { listen } from "./serve-app.ts";

describe.skipIf(!browserPath)("in a browser, of texts in pictures", () => {
  let browser: Browser;
  let models: string;
  beforeAll(async () => {
    browser = await startBrowser();
    models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
    await addReader(models, "crnn");
  });
  afterAll(async () => {
    await browser?.close();
    await rm(models, { recursive: true });
  });

  test.for(WIDTHS)("a text is read with its score, %i pixels wide", async (width) => {
    const service = createService(createNodePlatform({ STORE: models, ACCESS_LOG: "false" }));
    const url = await listen(getRequestListener(createApp(service).fetch));
    const viewport = { width, height: 900 };
    const page = await openPage(browser, `${url}/playground/crnn`, { viewport });
    const { pictures, cases } = await recordedTexts();
    await chooseFile(page.getByLabel("Image", { exact: true }), {
      name: "word.png",
      bytes: Buffer.from(pictures[0] ?? "", "base64"),
      type: "image/png",
    });
    const answer = await predict(page);
    const [text, score = 0] = cases[0]?.rows[0] ?? [];
    const headline = await answer.locator(".headline").innerText();
    expect(headline).toContain(text);
    expect(headline).toMatch(score > 0.999 ? /> 99\.9 %$/ : /\d\d\.\d %$/);
    expect(await brokenRules(page)).toEqual({});
  });
});
