import { getRequestListener } from "@hono/node-server";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import type { Detection } from "../../functions/tasks/object-detection/detection.ts";
import { nearcast } from "../cli/nearcast.ts";
import { brokenRules, browserPath, startBrowser, WIDTHS } from "../harness/browser.ts";
import { chooseFile } from "../harness/person.ts";
import { folder, recordedDetections, setDetection } from "../tasks/object-detection.ts";
import { openPage, predict } from "./open-page.ts";
import { listen } from "./serve-app.ts";

describe.skipIf(!browserPath)("in a browser, of objects in pictures", () => {
  let browser: Browser;
  let models: string;
  beforeAll(async () => {
    browser = await startBrowser();
    models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
    const command = ["add", join(folder, "yolos"), "--name", "things", "--models", models];
    expect(await nearcast(command)).toMatchObject({ code: 0 });
    const { cases } = await recordedDetections();
    const threshold = cases.find(({ model }) => model === "yolos")?.threshold;
    await setDetection(models, "things", { threshold });
    await writeFile(join(models, "things/release.json"), '{"stable":"1"}');
  });
  afterAll(async () => {
    await browser?.close();
    await rm(models, { recursive: true });
  });

  test.for(WIDTHS)("boxes lie on the picture that was sent, %i pixels wide", async (width) => {
    const platform = createNodePlatform({ STORE: models, ACCESS_LOG: "false" });
    const app = createApp(createService(platform));
    const url = await listen(getRequestListener(app.fetch));
    const { pictures, cases } = await recordedDetections();
    const rows = cases.find(({ model }) => model === "yolos")?.rows ?? [];
    const some = rows.findIndex((row) => row.length > 1);
    const bytes = Buffer.from(pictures[some] ?? "", "base64");
    const path = "/v1/models/things/predict";
    const headers = { "content-type": "application/octet-stream" };
    const asked = await app.request(path, { method: "POST", headers, body: bytes });
    const { outputs } = (await asked.json()) as { outputs: Detection[] };

    const viewport = { width, height: 900 };
    const page = await openPage(browser, `${url}/playground/things`, { viewport });
    await chooseFile(page.getByLabel("Image", { exact: true }), {
      name: "things.png",
      bytes,
      type: "image/png",
    });
    const answer = await predict(page);
    expect(await answer.locator(".found li").allInnerTexts()).toEqual(
      outputs.map(({ label, box: { xmin, ymin, xmax, ymax } }) =>
        expect.stringMatching(new RegExp(`^${label} .*${xmin}, ${ymin} to ${xmax}, ${ymax}$`)),
      ),
    );
    const picture = (await answer.locator(".boxed img").boundingBox()) ?? { x: 0, y: 0, width: 0 };
    const { naturalWidth } = await answer
      .locator(".boxed img")
      .evaluate((img: HTMLImageElement) => ({ naturalWidth: img.naturalWidth }));
    const scale = picture.width / naturalWidth;
    const shown = await answer.locator(".boxed rect").all();
    expect(shown).toHaveLength(outputs.length);
    for (const [place, rect] of shown.entries()) {
      const { xmin, ymin, xmax } = (outputs[place] as Detection).box;
      const found = await rect.boundingBox();
      expect(found?.x).toBeCloseTo(picture.x + xmin * scale, -1);
      expect(found?.y).toBeCloseTo(picture.y + ymin * scale, -1);
      expect(found?.width).toBeCloseTo((xmax - xmin) * scale, -1);
    }
    expect(await brokenRules(page)).toEqual({});
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
      width,
    );
  });
});
