import { getRequestListener } from "@hono/node-server";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode, encode } from "fast-png";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import type { SegmentAnswer } from "../../functions/tasks/image-segmentation/segments.ts";
import { nearcast } from "../cli/nearcast.ts";
import { brokenRules, browserPath, startBrowser, WIDTHS } from "../harness/browser.ts";
import { chooseFile } from "../harness/person.ts";
import { folder, maskOf } from "../tasks/image-segmentation.ts";
import { openPage, predict } from "./open-page.ts";
import { listen } from "./serve-app.ts";

const [WIDTH, HEIGHT] = [120, 80];

/** What the policy says of `body {}`, which Playwright puts into a page for a screenshot in Firefox. */
const SCREENSHOT_STYLE = /inline style.*sha256-YjaKGiklmzC6wjXA513HAMmzus8VE61XCOT\+SmwNZWA=/;

/** A grey picture with a bright half: what colour there is on it comes from masks. */
function picture() {
  const data = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, at) => (at % WIDTH < 60 ? 60 : 200));
  return Uint8Array.from(encode({ width: WIDTH, height: HEIGHT, data, channels: 1, depth: 8 }));
}

describe.skipIf(!browserPath)("in a browser, of pictures and their parts", () => {
  let browser: Browser;
  let models: string;
  beforeAll(async () => {
    browser = await startBrowser();
    models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
    const command = ["add", join(folder, "segformer"), "--name", "parts", "--models", models];
    expect(await nearcast(command)).toMatchObject({ code: 0 });
    await writeFile(join(models, "parts/release.json"), '{"stable":"1"}');
  });
  afterAll(async () => {
    await browser?.close();
    await rm(models, { recursive: true });
  });

  test.for(WIDTHS)("masks lie on the picture in their colours, %i pixels wide", async (width) => {
    const platform = createNodePlatform({ STORE: models, ACCESS_LOG: "false" });
    const app = createApp(createService(platform));
    const url = await listen(getRequestListener(app.fetch));
    const headers = { "content-type": "image/png" };
    const path = "/v1/models/parts/predict";
    const asked = await app.request(path, { method: "POST", headers, body: picture() });
    const { outputs } = (await asked.json()) as { outputs: SegmentAnswer[] };
    expect(outputs.length).toBeGreaterThan(1);

    const viewport = { width, height: 900 };
    const options = { viewport, expected: SCREENSHOT_STYLE };
    const page = await openPage(browser, `${url}/playground/parts`, options);
    await chooseFile(page.getByLabel("Image", { exact: true }), {
      name: "parts.png",
      bytes: Buffer.from(picture()),
      type: "image/png",
    });
    const answer = await predict(page);
    expect(await answer.locator(".found li").allInnerTexts()).toEqual(
      outputs.map(({ label }) => label),
    );
    const shown = answer.locator(".masked");
    const { width: shownWidth = 0 } = (await shown.locator("img").boundingBox()) ?? {};
    const shot = decode(await shown.locator("img").screenshot());
    const scale = shot.width / WIDTH;
    expect(scale).toBeCloseTo(shownWidth / WIDTH, 1);
    const colours = await answer
      .locator(".swatch")
      .evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor));
    let compared = 0;
    for (const [place, segment] of outputs.entries()) {
      const at = middleOf(maskOf(segment).pixels);
      if (at === undefined) continue;
      compared++;
      const [x, y] = [(at % WIDTH) + 0.5, Math.floor(at / WIDTH) + 0.5];
      const pixel = Math.floor(y * scale) * shot.width + Math.floor(x * scale);
      const seen = shot.data.subarray(pixel * shot.channels, pixel * shot.channels + 3);
      const level = x < 60 ? 60 : 200;
      const colour = (colours[place] ?? "").match(/\d+/g)?.map(Number) ?? [];
      for (const [channel, own] of seen.entries())
        expect(Math.abs(own - (0.6 * (colour[channel] ?? 0) + 0.4 * level))).toBeLessThan(12);
    }
    expect(compared).toBeGreaterThan(1);
    expect(await brokenRules(page)).toEqual({});
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
      width,
    );
  });
});

/** A pixel inside whose neighbours are inside too, also those two away. */
function middleOf(pixels: Uint8Array): number | undefined {
  const near = [-2, -1, 0, 1, 2];
  const found = pixels.findIndex((_, at) => {
    const x = at % WIDTH;
    const isApart = x > 1 && x < WIDTH - 2 && Math.abs(x - 60) > 3;
    return isApart && near.every((dy) => near.every((dx) => pixels[at + dy * WIDTH + dx] === 1));
  });
  return found < 0 ? undefined : found;
}
