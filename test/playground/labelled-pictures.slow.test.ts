import { getRequestListener } from "@hono/node-server";
import { rm } from "node:fs/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import type { ScoredLabel } from "../../functions/tasks/zero-shot-classification/answers.ts";
import { brokenRules, browserPath, startBrowser } from "../harness/browser.ts";
import { chooseFile, typeInto } from "../harness/person.ts";
import { addedModels, pictures } from "../tasks/zero-shot-images.ts";
import { openPage, predict } from "./open-page.ts";
import { listen } from "./serve-app.ts";

describe.skipIf(!browserPath)("in a browser, of pictures and labels", () => {
  let browser: Browser;
  let models: string;
  beforeAll(async () => {
    [browser, models] = await Promise.all([startBrowser(), addedModels()]);
  });
  afterAll(async () => {
    await browser?.close();
    if (models) await rm(models, { recursive: true });
  });

  test("a picture is chosen, labels are typed, and the answer has them all", async () => {
    const service = createService(createNodePlatform({ STORE: models, ACCESS_LOG: "false" }));
    const url = await listen(getRequestListener(createApp(service).fetch));
    const expected = /422/;
    const page = await openPage(browser, `${url}/playground/clip`, { expected });
    const labels = ["a cat", "red bus"];
    await chooseFile(page.getByLabel("Image", { exact: true }), {
      name: "cat.png",
      bytes: Buffer.from(pictures[1] ?? "", "base64"),
      type: "image/png",
    });
    await page.getByText("cat.png").waitFor();
    await typeInto(page.getByRole("textbox", { name: "Label" }), labels[0] ?? "");
    await page.getByRole("button", { name: "Add a label" }).click();
    // The same label twice is a mistake beside its field.
    const second = page.getByRole("textbox", { name: "Label 2" });
    await typeInto(second, labels[0] ?? "");
    await page.getByRole("button", { name: "Predict" }).click();
    await page.getByText("is the same label as candidate_labels[0]").first().waitFor();
    await typeInto(second, labels[1] ?? "");
    const answer = await predict(page);
    const asked = { image: pictures[1], candidate_labels: labels };
    const { outputs } = await service.predict({ model: "clip", inputs: asked });
    const [best] = outputs as ScoredLabel[];
    expect(await answer.locator(".headline").innerText()).toBe(best?.label);
    for (const label of labels) expect(await answer.innerText()).toContain(label);
    expect(await brokenRules(page)).toEqual({});
  });
});
