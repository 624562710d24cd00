import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeObjects } from "../../functions/features/object-source.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { churnFolder, customers } from "../features/service.ts";
import { brokenRules, browserPath, startBrowser, WIDTHS } from "../harness/browser.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";
import { openPage, predict } from "./open-page.ts";

describe.skipIf(!browserPath)("in a browser", () => {
  let browser: Browser;
  let server: NodeServer;
  beforeAll(async () => {
    const table = await mkdtemp(join(tmpdir(), "nearcast-features-"));
    await writeObjects(createFolderStore(table), customers());
    const examples = [{ input: { customer_id: 42, income: 1 } }] as Manifest["examples"];
    const env = {
      STORE: await churnFolder({}, { examples }),
      FEATURE_SOURCES: `customers=${table}`,
    };
    [browser, server] = await Promise.all([startBrowser(), startNodeServer({ env })]);
  });
  afterAll(() => Promise.all([browser.close(), server.stop()]));

  test.each(WIDTHS)(
    "keys are asked for, and looked-up features may be empty, at %i pixels",
    async (width) => {
      const page = await openPage(browser, `${server.url}/playground/churn`, {
        viewport: { width, height: 800 },
        expected: /422/,
      });
      const key = page.getByLabel("customer_id");
      expect(await key.inputValue()).toBe("42");
      expect(await page.getByLabel("age (years)").inputValue()).toBe("");
      expect(await page.getByText("Looked up when empty.").count()).toBe(3);
      const answer = await predict(page);
      const found = await answer.locator(".headline").innerText();
      expect(found).toMatch(/^-?[\d.]+$/);
      await page.getByLabel("age (years)").fill("77");
      await predict(page);
      await key.fill("7");
      await page.getByRole("button", { name: "Predict" }).click();
      await page
        .getByText("is not known to customers for this customer_id: send it")
        .first()
        .waitFor();
      expect(await brokenRules(page)).toEqual({});
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      expect(wide).toBe(false);
    },
  );
});
