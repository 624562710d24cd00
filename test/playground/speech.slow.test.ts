import { getRequestListener } from "@hono/node-server";
import { rm } from "node:fs/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { readable } from "../../playground/short.ts";
import {
  recordedVoices,
  voiceFiles,
  voiceModels,
  wavOfVoice,
  type VoiceAnswer,
} from "../audio/voice.ts";
import { brokenRules, browserPath, startBrowser, WIDTHS } from "../harness/browser.ts";
import { chooseFile } from "../harness/person.ts";
import { openPage, predict } from "./open-page.ts";
import { listen } from "./serve-app.ts";

/** It has two sentences, also for the default parameters. */
const file =
  voiceFiles[recordedVoices.models.silero.findIndex(({ segments }) => segments.length > 2)]!;

describe.skipIf(!browserPath)("in a browser, of speech", () => {
  let browser: Browser;
  let models: string;
  beforeAll(async () => {
    browser = await startBrowser();
    models = await voiceModels();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(models, { recursive: true });
  });

  test.for(WIDTHS)("each segment is heard by a click, %i pixels wide", async (width) => {
    const platform = createNodePlatform({ STORE: models, ACCESS_LOG: "false" });
    const app = createApp(createService(platform));
    const url = await listen(getRequestListener(app.fetch));
    const asked = await app.request("/v1/models/gru/predict", {
      method: "POST",
      headers: { "Content-Type": "audio/wav" },
      body: file,
    });
    const { outputs } = (await asked.json()) as { outputs: VoiceAnswer };
    expect(outputs.segments.length).toBeGreaterThan(1);
    const viewport = { width, height: 900 };
    const page = await openPage(browser, `${url}/playground/gru`, { viewport });
    const silent = await predict(page);
    expect(await silent.innerText()).toContain("Nobody speaks in it.");
    await chooseFile(page.getByLabel("Recording", { exact: true }), {
      name: "call.wav",
      bytes: Buffer.from(file),
      type: "audio/wav",
    });
    await page.getByText("call.wav", { exact: true }).waitFor();
    const answer = await predict(page);
    const buttons = answer.locator("ol.found button");
    expect(await buttons.allInnerTexts()).toEqual(
      outputs.segments.map(({ start, end }) => `${readable(start)} to ${readable(end)} s`),
    );
    const second = outputs.segments[1]!;
    await buttons.nth(1).click();
    const player = answer.locator("audio");
    const heardFrom = () => player.evaluate((audio: HTMLAudioElement) => audio.currentTime);
    await expect.poll(heardFrom).toBeGreaterThanOrEqual(second.start - 0.01);
    expect(await brokenRules(page)).toEqual({});
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
      width,
    );
  });

  test("speech that goes on at the end of a piece is said", async () => {
    const platform = createNodePlatform({ STORE: models, ACCESS_LOG: "false" });
    const app = createApp(createService(platform));
    const url = await listen(getRequestListener(app.fetch));
    // The recording from its beginning into the first sentence.
    const samples = new Int16Array(file.slice(44).buffer);
    let piece = wavOfVoice(samples);
    let said: VoiceAnswer = { segments: [] };
    for (let length = 8000; said.speaking_since === undefined; length += 4000) {
      expect(length).toBeLessThan(samples.length);
      piece = wavOfVoice(samples.slice(0, length));
      const asked = await app.request("/v1/models/gru/predict?return_state=true", {
        method: "POST",
        headers: { "Content-Type": "audio/wav" },
        body: piece,
      });
      said = ((await asked.json()) as { outputs: VoiceAnswer }).outputs;
    }
    const page = await openPage(browser, `${url}/playground/gru`);
    await chooseFile(page.getByLabel("Recording", { exact: true }), {
      name: "piece.wav",
      bytes: Buffer.from(piece),
      type: "audio/wav",
    });
    await page.getByText("piece.wav", { exact: true }).waitFor();
    await page.getByText("Parameters and versions").click();
    await page.getByLabel("Parameters as JSON").fill('{"return_state": true}');
    const answer = await predict(page);
    const since = `Somebody still speaks at its end, from ${readable(said.speaking_since)} s on.`;
    expect(await answer.innerText()).toContain(since);
    expect(await answer.innerText()).not.toContain("Nobody");
  });
});
