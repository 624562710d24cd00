import { getRequestListener } from "@hono/node-server";
import { rm } from "node:fs/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import type { ScoredLabel } from "../../functions/tasks/zero-shot-classification/answers.ts";
import { brokenRules, browserPath, isFirefox, startBrowser } from "../harness/browser.ts";
import { chooseFile, chooseGoneFile, typeInto } from "../harness/person.ts";
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

  async function openForm() {
    const service = createService(createNodePlatform({ STORE: models, ACCESS_LOG: "false" }));
    const url = await listen(getRequestListener(createApp(service).fetch));
    const page = await openPage(browser, `${url}/playground/clip`);
    return { page, field: page.getByLabel("Image", { exact: true }) };
  }

  test("of two pictures chosen at once, the last one stays, however long the first takes to read", async () => {
    const { page, field } = await openForm();
    const readings = await field.evaluate(async (field, small) => {
      let read = 0;
      const bothRead = new Promise<number>((resolve) => {
        const encode = globalThis.btoa;
        globalThis.btoa = (text) => {
          read += 1;
          if (read === 2) setTimeout(resolve, 100, read);
          return encode(text);
        };
      });
      const choose = (bytes: Uint8Array<ArrayBuffer>, name: string) => {
        const made = new DataTransfer();
        made.items.add(new File([bytes], name, { type: "image/png" }));
        (field as HTMLInputElement).files = made.files;
        field.dispatchEvent(new Event("change", { bubbles: true }));
      };
      choose(new Uint8Array(8_000_000), "large.png");
      choose(
        Uint8Array.from(atob(small), (letter) => letter.charCodeAt(0)),
        "small.png",
      );
      return bothRead;
    }, pictures[1] ?? "");
    expect(readings).toBe(2);
    await page.getByText("small.png").waitFor();
    expect(await page.getByText("large.png").count()).toBe(0);
  });

  test.skipIf(isFirefox)("a file that cannot be read is a mistake beside its field", async () => {
    const { page, field } = await openForm();
    await chooseGoneFile(field, "gone.png");
    await page.getByText("gone.png cannot be read").waitFor();
  });
});
