import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { brokenRules, browserPath, isFirefox, useBrowserAndServer } from "../harness/browser.ts";
import { chooseFile, chooseGoneFile, dropImage, pasteImage } from "../harness/person.ts";
import { openPage, predict } from "./open-page.ts";

const SEVEN = { name: "seven.png", bytes: await readFile("models/digits/seven.png") };

describe.skipIf(!browserPath)("in a browser, of images and baskets", () => {
  const its = useBrowserAndServer();

  test("an image is dropped, is shown and is answered", async () => {
    const page = await openPage(its.browser, `${its.server.url}/playground/digits`);
    await page.getByAltText("The image that is sent").waitFor();
    expect(await page.locator("figure", { hasText: "example.png" }).count()).toBe(1);
    await dropImage(page, { ...SEVEN, name: "it's a seven.png" });
    await page.getByText("it's a seven.png", { exact: true }).waitFor();
    const answer = await predict(page);
    expect(await answer.locator(".headline").innerText()).toMatch(/^7 /);
    expect(await page.locator(".code pre").innerText()).toContain(
      String.raw`--data-binary '@it'\''s a seven.png'`,
    );
    expect(await brokenRules(page)).toEqual({});
  });

  test("an image is pasted, wherever the focus is", async () => {
    const page = await openPage(its.browser, `${its.server.url}/playground/digits`);
    await page.getByAltText("The image that is sent").waitFor();
    await pasteImage(page, { ...SEVEN, name: "image.png" });
    await page.getByRole("link", { name: "image.png" }).waitFor();
    expect(await (await predict(page)).locator(".headline").innerText()).toMatch(/^7 /);
  });

  test("an image is chosen, and is base64 in JSON", async () => {
    const page = await openPage(its.browser, `${its.server.url}/playground/digits`);
    await chooseFile(page.getByLabel("Image", { exact: true }), SEVEN);
    await page.getByText("seven.png", { exact: true }).waitFor();
    await page.getByRole("button", { name: "JSON", exact: true }).click();
    const base64 = SEVEN.bytes.toString("base64");
    expect(await page.getByLabel("Inputs as JSON").inputValue()).toBe(`"${base64}"`);
    expect(await (await predict(page)).locator(".headline").innerText()).toMatch(/^7 /);
  });

  test.skipIf(isFirefox)(
    "an image that cannot be read stays in its form, which says so",
    async () => {
      const page = await openPage(its.browser, `${its.server.url}/playground/digits`, {
        expected: /ERR_FILE_NOT_FOUND/,
      });
      await chooseGoneFile(page.getByLabel("Image", { exact: true }), "gone.png");
      await page.getByRole("button", { name: "JSON", exact: true }).click();
      await page.getByText("gone.png cannot be read.").waitFor();
      expect(await page.getByLabel("Inputs as JSON").count()).toBe(0);
    },
  );

  test("a picture is taken, and the camera is off afterwards", async () => {
    const page = await openPage(its.browser, `${its.server.url}/playground/digits`);
    await page.getByRole("button", { name: "Take a picture" }).click();
    await page.getByRole("button", { name: "Take it" }).click();
    await page.getByRole("link", { name: "picture.png" }).waitFor();
    expect(await page.locator("video").count()).toBe(0);
    const answer = await predict(page);
    expect(await answer.locator(".headline").innerText()).toMatch(/^\d /);
  });

  test("what is no image is refused at its field", async () => {
    const page = await openPage(its.browser, `${its.server.url}/playground/digits`, {
      expected: /422/,
    });
    const file = { name: "no.png", bytes: Buffer.from("no image") };
    await chooseFile(page.getByLabel("Image", { exact: true }), file);
    await page.getByRole("button", { name: "Predict" }).click();
    await page.locator(".drop .mistake").waitFor();
    expect(await page.getByRole("alert").innerText()).toContain("invalid_input");
  });

  test("items are found by name and put into the basket", async () => {
    const page = await openPage(its.browser, `${its.server.url}/playground/retail`);
    const basket = page.getByRole("list", { name: "Basket" });
    await basket.waitFor();
    expect(await basket.getByRole("listitem").count()).toBe(1);
    await page.getByLabel("Find an item").fill("lunch bag");
    const found = page.getByRole("list", { name: "Items that fit" });
    await found
      .getByRole("button", { name: /LUNCH BAG/ })
      .first()
      .waitFor();
    const name = await found.locator("bdi").first().innerText();
    await found.getByRole("button").first().click();
    expect(await basket.innerText()).toContain(name);
    // The names of what was in the basket are known too.
    expect(await basket.innerText()).not.toMatch(/85123A/);
    const answer = await predict(page);
    expect(await answer.getByRole("row").count()).toBe(10);
    expect(await answer.innerText()).not.toContain(name);
    await basket.getByRole("button", { name: `Remove ${name}` }).click();
    expect(await basket.getByRole("listitem").count()).toBe(1);
    expect(await brokenRules(page)).toEqual({});
  });
});
