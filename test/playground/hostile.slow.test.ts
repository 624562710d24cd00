import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { brokenRules, browserPath, startBrowser } from "../harness/browser.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";
import { openPage, predict } from "./open-page.ts";

const IMAGE = "<img src=x onerror=document.title='owned'>";
const LABELS = [IMAGE, "\u202eטקסט", "x".repeat(10_000)];
const FEATURES = [IMAGE, "`; alert(1) //", "\u202eright to left", "y".repeat(10_000)];

describe.skipIf(!browserPath)("in a browser, of strangers' manifests", () => {
  let browser: Browser;
  let server: NodeServer;
  let store: string;
  beforeAll(async () => {
    store = await mkdtemp(join(tmpdir(), "nearcast-playground-"));
    await change("hostile", (manifest) => ({
      description: `${IMAGE}\u202e${"z".repeat(10_000)}`,
      labels: LABELS,
      features: (manifest["features"] as object[]).map((feature, index) => ({
        ...feature,
        name: FEATURES[index],
        unit: IMAGE,
        description: IMAGE,
        missing: 5,
      })),
      examples: [],
    }));
    await change("tensors", ({ inputs, outputs, artifact, schema, version }) => {
      const rest = {
        features: undefined,
        labels: undefined,
        scores: undefined,
        metrics: undefined,
      };
      return { inputs, outputs, artifact, schema, version, ...rest, task: "tensor", examples: [] };
    });
    [browser, server] = await Promise.all([
      startBrowser(),
      startNodeServer({ env: { STORE: store } }),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await rm(store, { recursive: true });
  });

  async function change(
    name: string,
    make: (manifest: Record<string, unknown>) => object,
  ): Promise<void> {
    await cp("models/iris", join(store, name), { recursive: true });
    const path = join(store, name, "1/model.json");
    const manifest = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    await writeFile(path, JSON.stringify({ ...manifest, name, ...make(manifest) }));
  }

  test.for([1280, 360])("what they say is text, %i pixels wide", async (width) => {
    const viewport = { width, height: 800 };
    const page = await openPage(browser, `${server.url}/playground/hostile`, { viewport });
    await page.getByLabel(IMAGE).first().fill("4.8");
    const answer = await predict(page);
    expect(await answer.getByRole("rowheader").allTextContents()).toEqual(
      expect.arrayContaining([IMAGE, LABELS[1], `${"x".repeat(300)}…`]),
    );
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.title()).toBe("hostile · Nearcast");
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    expect(await brokenRules(page)).toEqual({});
  });

  test("tensors are asked for by name, in JSON", async () => {
    const page = await openPage(browser, `${server.url}/playground/tensors`);
    const box = page.getByLabel("Inputs as JSON");
    await page.getByText("features: FP32 [-1, 4]").waitFor();
    expect(await box.inputValue()).toBe('{"features": []}');
    await box.fill("{");
    expect(await page.getByRole("button", { name: "Predict" }).isDisabled()).toBe(true);
    expect(await page.locator(".mistake").innerText()).toMatch(/^This is no JSON/);
    await box.fill('{"features": [[5.1, 3.5, 1.4, 0.2]]}');
    const answer = await predict(page);
    expect(await answer.locator("pre").innerText()).toContain('"probabilities":');
  });
});
