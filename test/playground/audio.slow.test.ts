import { getRequestListener } from "@hono/node-server";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { fixtures, recorded } from "../audio/recorded.ts";
import { recordingOf } from "../audio/recordings.ts";
import { nearcast } from "../cli/nearcast.ts";
import { brokenRules, browserPath, startBrowser, WIDTHS } from "../harness/browser.ts";
import { chooseFile } from "../harness/person.ts";
import { openPage, predict } from "./open-page.ts";
import { listen } from "./serve-app.ts";

describe.skipIf(!browserPath)("in a browser, of sound", () => {
  let browser: Browser;
  let models: string;
  beforeAll(async () => {
    browser = await startBrowser();
    models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
    const command = ["add", join(fixtures, "ast-audio"), "--name", "sounds", "--models", models];
    expect(await nearcast(command)).toMatchObject({ code: 0 });
    await writeFile(join(models, "sounds/release.json"), '{"stable":"1"}');
  });
  afterAll(async () => {
    await browser?.close();
    await rm(models, { recursive: true });
  });

  test.for(WIDTHS)("a recording is chosen, and answered, %i pixels wide", async (width) => {
    const platform = createNodePlatform({ STORE: models, ACCESS_LOG: "false" });
    const app = createApp(createService(platform));
    const url = await listen(getRequestListener(app.fetch));
    const viewport = { width, height: 900 };
    const page = await openPage(browser, `${url}/playground/sounds`, { viewport });
    // The example's.
    await page.getByText("example.wav", { exact: true }).waitFor();
    const bytes = Buffer.from(recordingOf(recorded.recipes[1] as never));
    await chooseFile(page.getByLabel("Recording", { exact: true }), {
      name: "bird.wav",
      bytes,
      type: "audio/wav",
    });
    await page.getByText("bird.wav", { exact: true }).waitFor();
    const answer = await predict(page);
    const scores = recorded.answers["ast-audio"][1] as number[];
    const best = recorded.labels[scores.indexOf(Math.max(...scores))];
    expect(await answer.locator(".headline").innerText()).toMatch(new RegExp(`^${best} `));
    expect(await page.locator(".code pre").innerText()).toMatch(
      /Content-Type: audio\/wav'[^]*--data-binary @bird.wav/,
    );
    expect(await brokenRules(page)).toEqual({});
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
      width,
    );
  });
});
