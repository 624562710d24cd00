import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Browser, Page, Route } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { brokenRules, browserPath, isFirefox, startBrowser, WIDTHS } from "../harness/browser.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";
import { chooseFile, dropImage, typeInto } from "../harness/person.ts";
import { installPage, type ExamplePage } from "./page.ts";

const models = join(import.meta.dirname, "../../models");
const SEVEN = { name: "seven.png", bytes: await readFile(join(models, "digits/seven.png")) };

/** What browsers themselves write of each answer with a status of 400 and above, and of none. */
const BROWSERS_OWN = /^Failed to load resource|CORS request did not succeed/;

let browser: Browser;
beforeAll(async () => {
  if (browserPath) browser = await startBrowser();
});
afterAll(() => browser?.close());

describe.skipIf(!browserPath).each(["react", "vue"])("the example of %s", (name) => {
  let example: ExamplePage;
  let service: NodeServer;
  let store: string;
  beforeAll(async () => {
    store = await mkdtemp(join(tmpdir(), "nearcast-page-store-"));
    await cp(models, store, { recursive: true });
    example = await installPage(name);
    service = await startService();
    await example.build(service.url);
  });
  afterAll(async () => {
    await service?.stop();
    await example?.stop();
    await rm(store, { recursive: true, force: true });
  });

  function startService(env: Record<string, string> = {}): Promise<NodeServer> {
    const own = { CORS_ORIGINS: example.origin, STORE: store, RELEASE_TTL_SECONDS: "1" };
    return startNodeServer({ env: { ...own, ...env } });
  }

  /** The page with its first answers, and the errors of its console. */
  async function open(options: Parameters<Browser["newPage"]>[0] = {}) {
    const page = await browser.newPage(options);
    onTestFinished(() => page.close());
    const errors: string[] = [];
    const note = (text: string) => BROWSERS_OWN.test(text) || errors.push(text);
    page.on("console", (line) => ["error", "warning"].includes(line.type()) && note(line.text()));
    page.on("pageerror", (error) => note(String(error)));
    await page.goto(example.origin);
    await answered(page);
    return { page, errors };
  }

  test("its types are right", async () => {
    await example.run("typescript/bin/tsc", "-p", ".");
  });

  test("its script is under 100 kB, compressed", async () => {
    expect(gzipSync(await example.script()).length).toBeLessThan(100_000);
  });

  test("a form answers while one types, and shows a mistake at its field", async () => {
    const { page, errors } = await open();
    const form = page.getByRole("region", { name: "Which iris is it?" });
    const answer = form.locator("strong");
    await expectText(answer, "setosa");
    await typeInto(form.getByLabel("petal length"), "5.4");
    await typeInto(form.getByLabel("petal width"), "2.3");
    await expectText(answer, "virginica");
    const width = form.getByLabel("sepal width");
    await form.getByText("0 to 20 cm").first().waitFor();
    await typeInto(width, "50");
    await form.getByText("must be at most 20 cm").waitFor();
    expect(await width.getAttribute("aria-invalid")).toBe("true");
    const described = await width.evaluate((input) =>
      (input.getAttribute("aria-describedby") ?? "")
        .split(" ")
        .map((id) => document.getElementById(id)?.textContent?.trim())
        .join(", "),
    );
    expect(described).toBe("0 to 20 cm, must be at most 20 cm");
    await typeInto(width, "");
    await form.getByText("is missing").waitFor();
    await typeInto(width, "3.1");
    await form.getByText("is missing").waitFor({ state: "hidden" });
    await expectText(answer, "virginica");
    expect(errors).toEqual([]);
  });

  test("a picture is chosen or dropped, and what is none is refused", async () => {
    const { page, errors } = await open();
    const card = page.getByRole("region", { name: "Which digit is it?" });
    await chooseFile(card.getByLabel("Picture of a digit"), SEVEN);
    await card.getByRole("img", { name: "Preview of seven.png" }).waitFor();
    await expectText(card.locator("strong"), "7");
    const text = { name: "notes.png", bytes: Buffer.from("no picture") };
    await chooseFile(card.getByLabel("Picture of a digit"), text);
    await card.getByRole("alert").waitFor();
    await dropImage(page, { ...SEVEN, name: "dropped.png" });
    await card.getByRole("img", { name: "Preview of dropped.png" }).waitFor();
    await expectText(card.locator("strong"), "7");
    expect(await card.getByRole("alert").count()).toBe(0);
    expect(errors).toEqual([]);
  });

  test("messages take the colour of their mood", async () => {
    const { page, errors } = await open();
    await typeInto(
      page.getByLabel("Message", { exact: true }),
      "Terrible battery, a waste of money.",
    );
    await page.keyboard.press("Enter");
    const message = page.getByRole("listitem").filter({ hasText: "Terrible battery" });
    await message.getByText("negative, ").waitFor();
    const other = page.getByRole("listitem").filter({ hasText: "The food was great" });
    expect(await message.evaluate(colour)).not.toBe(await other.evaluate(colour));
    expect(errors).toEqual([]);
  });

  test("what is put into the basket leaves the shelf at once, and comes back after an error", async () => {
    const { page, errors } = await open();
    const shelf = page.getByRole("list", { name: "Goes with it" });
    const add = shelf.getByRole("button").first();
    const name = ((await add.getAttribute("aria-label")) ?? "").replace("Add ", "");
    const requests: Route[] = [];
    await page.route("**/retail/predict", (request) => void requests.push(request));
    await add.click();
    await page.getByRole("list", { name: "Basket" }).getByText(name).waitFor();
    await shelf.getByText(name, { exact: true }).waitFor({ state: "hidden" });
    expect(await shelf.getByRole("button").count()).toBe(7);
    await vi.waitFor(() => expect(requests).toHaveLength(1), 30_000);
    await requests[0]?.abort();
    await shelf.getByText(name, { exact: true }).waitFor();
    await page.unrouteAll();
    await page.getByRole("button", { name: "Try again" }).click();
    await shelf.getByText(name, { exact: true }).waitFor({ state: "hidden" });
    await shelf.getByRole("button").nth(7).waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
    expect(errors).toEqual([]);
  });

  test("the keyboard alone fills and empties the basket", async () => {
    const { page, errors } = await open();
    const shelf = page.getByRole("list", { name: "Goes with it" });
    const basket = page.getByRole("list", { name: "Basket" });
    await shelf.getByRole("button").first().press("Enter");
    await basket.getByRole("listitem").nth(1).waitFor();
    expect(await page.evaluate("document.activeElement.ariaLabel")).toBe("Goes with it");
    for (const left of [1, 0]) {
      await basket.getByRole("button").first().press("Enter");
      await vi.waitFor(
        async () => expect(await basket.getByRole("listitem").count()).toBe(left),
        30_000,
      );
      expect(await page.evaluate("document.activeElement.ariaLabel")).toBe("Basket");
    }
    await page.getByText("retail, version").waitFor();
    await shelf.getByRole("button").nth(7).waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
    expect(errors).toEqual([]);
  });

  test("texts are found though they are misspelt", async () => {
    const { page, errors } = await open();
    await typeInto(page.getByRole("searchbox"), "owl lihgts");
    const first = page.getByRole("list", { name: "Texts" }).getByRole("listitem").first();
    await expectText(first, "night owl lights");
    expect(errors).toEqual([]);
  });

  test("without a network it says so, and asks again when it is back", async () => {
    const { page, errors } = await open();
    const form = page.getByRole("region", { name: "Which iris is it?" });
    await page.context().setOffline(true);
    await typeInto(form.getByLabel("petal length"), "5.4");
    await typeInto(form.getByLabel("petal width"), "2.3");
    await form.getByRole("alert").getByText("cannot be reached").waitFor();
    await expectText(form.locator("strong"), "setosa");
    await page.context().setOffline(false);
    await expectText(form.locator("strong"), "virginica");
    expect(await form.getByRole("alert").count()).toBe(0);
    expect(errors).toEqual([]);
  });

  test("a release while the page is open shows", async () => {
    const { page, errors } = await open();
    const form = page.getByRole("region", { name: "Which iris is it?" });
    await form.getByText("iris, version 1").waitFor();
    const manifest = await readFile(join(store, "iris/1/model.json"), "utf8");
    await cp(join(store, "iris/1"), join(store, "iris/2"), { recursive: true });
    const second = { ...(JSON.parse(manifest) as object), version: "2" };
    await writeFile(join(store, "iris/2/model.json"), JSON.stringify(second));
    await writeFile(join(store, "iris/release.json"), JSON.stringify({ stable: "2" }));
    await expect
      .poll(async () => {
        await typeInto(form.getByLabel("sepal width"), String(1 + Math.random()));
        return form.getByText(/iris, version \d/).textContent();
      })
      .toBe("iris, version 2");
    expect(errors).toEqual([]);
  });

  test.for([...WIDTHS, 360])("breaks no rule of accessibility, %i pixels wide", async (width) => {
    for (const colorScheme of ["light", "dark"] as const) {
      const { page, errors } = await open({ viewport: { width, height: 900 }, colorScheme });
      await typeInto(page.getByLabel("sepal width"), "50");
      await page.getByText("must be at most 20 cm").waitFor();
      await dropImage(page, SEVEN);
      await page.getByText("digits, version").waitFor();
      await typeInto(page.getByLabel("Message", { exact: true }), "Terrible battery.");
      await page.keyboard.press("Enter");
      await page.getByText("negative, ").waitFor();
      await typeInto(page.getByRole("searchbox"), "owl lihgts");
      await page.getByText("search, version").waitFor();
      const folder = process.env["SCREENSHOTS"];
      const path = join(folder ?? "", `${name}-${width}-${colorScheme}.png`);
      if (folder) await page.screenshot({ path, fullPage: true });
      // Firefox 153 ends the page's process (signal 11) while axe reads these pages.
      if (!isFirefox) expect(await brokenRules(page)).toEqual({});
      const widest = await page.evaluate("document.documentElement.scrollWidth");
      expect(widest).toBeLessThanOrEqual(width);
      expect(errors).toEqual([]);
    }
  });

  test("a 429 is waited out", async () => {
    // The first answers take 14 units: 10 of them are the texts of the search.
    const limited = await startService({ RATE_LIMIT: "16/3s" });
    onTestFinished(async () => {
      await limited.stop();
      await example.build(service.url);
    });
    await example.build(limited.url);
    const { page, errors } = await open();
    const statuses: number[] = [];
    page.on("response", (response) => statuses.push(response.status()));
    const form = page.getByRole("region", { name: "Which iris is it?" });
    await typeInto(form.getByLabel("petal width"), "2.3");
    for (const length of ["4", "4.5", "5", "5.4"]) {
      await typeInto(form.getByLabel("petal length"), length);
      await form.getByText("Asking…").waitFor();
      await form.getByText("Asking…").waitFor({ state: "hidden" });
    }
    await expectText(form.locator("strong"), "virginica");
    expect(statuses).toContain(429);
    expect(await page.getByRole("alert").count()).toBe(0);
    expect(errors).toEqual([]);
  });
});

/** Resolves when the page has its first answers. */
async function answered(page: Page): Promise<void> {
  for (const text of ["iris, version", "retail, version", "search, version", "positive, "])
    await page.getByText(text).waitFor();
}

async function expectText(locator: ReturnType<Page["locator"]>, text: string): Promise<void> {
  await locator.filter({ hasText: text }).waitFor();
}

function colour(element: Element): string {
  return getComputedStyle(element).backgroundColor;
}
