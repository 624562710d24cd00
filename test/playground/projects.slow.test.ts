import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { answerByFetch } from "../../cli/local/answer-by-fetch.ts";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { defineTask } from "../../functions/tasks/define.ts";
import { apiKey, keyList } from "../auth/keys.ts";
import { brokenRules, browserPath, isFirefox, startBrowser } from "../harness/browser.ts";
import { add, CASES } from "../tasks/several-numbers.ts";
import { openPage, predict } from "./open-page.ts";
import { listen } from "./serve-app.ts";

/** A project's own: four numbers in, a size out. */
const sizes = defineTask({
  name: "flower-size",
  options: {},
  parameters: z.strictObject({}),
  input: "json",
  compile: () => ({
    isBatch: (inputs) => Array.isArray(inputs) && Array.isArray(inputs[0]),
    preprocess: (rows) => [
      {
        feeds: {
          features: {
            datatype: "FP32",
            shape: [rows.length, 4],
            data: Float32Array.from((rows as number[][]).flat()),
          },
        },
        rows: rows.length,
        context: rows,
      },
    ],
    outputNames: ["probabilities"],
    postprocess: (_outputs, { context }) =>
      (context as number[][]).map(([length = 0]) => ({ size: length > 5 ? "large" : "small" })),
  }),
  schema: () => ({ input: { type: "array" }, output: { type: "object" } }),
});

const OUTLIERS = CASES.find(({ name }) => name === "outlier-forest")!;
const TARGETS = CASES.find(({ name }) => name === "two-targets-linear")!;

describe.skipIf(!browserPath)("in a browser, of projects", () => {
  let browser: Browser;
  let store: string;
  beforeAll(async () => {
    store = await mkdtemp(join(tmpdir(), "nearcast-playground-"));
    await cp("models/iris", join(store, "iris"), { recursive: true });
    await copyOfIris("iris/2", { version: "2" });
    const trial = { stable: "1", candidates: [{ version: "2", percent: 50 }] };
    await writeFile(join(store, "iris/release.json"), JSON.stringify({ schema: 2, ...trial }));
    await cp("models/iris", join(store, "sizes"), { recursive: true });
    await copyOfIris("sizes/1", {
      name: "sizes",
      task: sizes.name,
      labels: undefined,
      scores: undefined,
      features: undefined,
      metrics: undefined,
      examples: [{ input: [5.1, 3.5, 1.4, 0.2] }],
    });
    await add(OUTLIERS, store, "outliers");
    await add(TARGETS, store, "targets");
    for (const name of ["outliers", "targets"])
      await writeFile(join(store, name, "release.json"), '{"stable": "1"}');
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(store, { recursive: true });
  });

  async function copyOfIris(path: string, changes: object): Promise<void> {
    await cp("models/iris/1", join(store, path), { recursive: true });
    const manifest = JSON.parse(await readFile("models/iris/1/model.json", "utf8")) as object;
    await writeFile(join(store, path, "model.json"), JSON.stringify({ ...manifest, ...changes }));
  }

  function app(env: Record<string, string> = {}) {
    const platform = createNodePlatform({ STORE: store, ACCESS_LOG: "false", ...env });
    return createApp(createService(platform, { tasks: [sizes] }));
  }

  async function open(model: string, { env = {}, ...options }: Opened = {}) {
    const served = { app: app(env) };
    const ask = async (path: string, init?: RequestInit) => served.app.request(path, init);
    const url = await listen((request, response) => void answerByFetch(ask, request, response));
    return { served, page: await openPage(browser, `${url}/playground/${model}`, options) };
  }
  type Opened = { env?: Record<string, string> } & Parameters<typeof openPage>[2];

  test("a key that is taken back in between is asked for again, and what was typed stays", async () => {
    const scopes = { scopes: ["read" as const, "predict" as const] };
    const [old, next] = [apiKey("web", scopes), apiKey("web", scopes, "two")];
    const { served, page } = await open("iris", {
      env: { API_KEYS: keyList(old) },
      expected: /401/,
    });
    const field = page.getByLabel("API key or token");
    await field.fill(old.key);
    await field.press("Enter");
    const width = page.getByLabel("petal_width (cm)");
    await width.fill("2.1");
    await predict(page);
    served.app = app({ API_KEYS: keyList(next) });
    await page.getByRole("button", { name: "Predict" }).click();
    await page.getByText("The service does not take this key.").waitFor();
    expect(await width.isVisible()).toBe(false);
    expect(await field.evaluate((one) => one === document.activeElement)).toBe(true);
    expect(await brokenRules(page)).toEqual({});
    await field.fill(next.key);
    await field.press("Enter");
    await predict(page);
    expect(await width.inputValue()).toBe("2.1");
    // Whoever is next at this tab sees nothing of it.
    await page.getByRole("button", { name: "Forget it" }).click();
    await field.fill(next.key);
    await field.press("Enter");
    await page.getByRole("button", { name: "Predict" }).waitFor();
    expect(await width.inputValue()).not.toBe("2.1");
  });

  test("versions on trial are marked, and an answer of one says so", async () => {
    const { page } = await open("iris");
    await page.getByText("Parameters and versions").click();
    const versions = page.getByLabel("Version", { exact: true }).getByRole("option");
    expect(await versions.allTextContents()).toEqual([
      "The one that is released",
      "1, released",
      "2, on trial",
    ]);
    const seen = new Set<string>();
    for (let asked = 0; asked < 40 && seen.size < 2; asked += 1) {
      await page.getByLabel("sepal_length (cm)").fill(`4.${asked}`);
      const answer = await predict(page);
      await answer.locator(":scope[aria-busy=false]").waitFor();
      seen.add(await answer.getByText(/^[12]( \(on trial\))?$/).innerText());
    }
    expect([...seen].toSorted()).toEqual(["1", "2 (on trial)"]);
    expect(await page.getByText(/was released while this page was open/).count()).toBe(0);
  });

  test("a project's own task is asked and answered in JSON", async () => {
    const { page } = await open("sizes");
    const box = page.getByLabel("Inputs as JSON");
    expect(JSON.parse(await box.inputValue())).toEqual([5.1, 3.5, 1.4, 0.2]);
    const answer = await predict(page);
    expect(await answer.locator("pre").innerText()).toContain('"size":"large"');
    await box.fill("[4, 3, 1, 0.2]");
    await page.getByRole("button", { name: "Predict" }).click();
    await answer.getByText('"size":"small"').waitFor();
    expect(await brokenRules(page)).toEqual({});
  });

  test("a row that is unusual is said to be so", async () => {
    const { page } = await open("outliers");
    const row = OUTLIERS.predict.findIndex((one) => one === -1);
    await fillRow(page, OUTLIERS.rows[row] ?? []);
    const answer = await predict(page);
    const score = OUTLIERS.decision_function?.[row] ?? NaN;
    expect(await answer.locator(".headline").innerText()).toMatch(
      new RegExp(`^Unusual score ${score.toFixed(3).replace("-", "[-−]")}`),
    );
    expect(await page.getByRole("status").first().innerText()).toContain("unusual");
    expect(await brokenRules(page)).toEqual({});
  });

  test("several numbers are numbers, though they lie between 0 and 1", async () => {
    const { page } = await open("targets");
    await fillRow(page, TARGETS.rows[0] ?? []);
    const answer = await predict(page);
    expect(await answer.getByRole("rowheader").allInnerTexts()).toEqual(TARGETS.told.labels);
    expect(await answer.locator("table").innerText()).not.toContain("%");
  });

  test("the call and the answer are copied", async () => {
    const permissions = isFirefox ? [] : ["clipboard-read", "clipboard-write"];
    const { page } = await open("iris", { permissions });
    const copied = () => page.evaluate("navigator.clipboard.readText()");
    const answer = await predict(page);
    const call = page.getByRole("region", { name: "The same call in code" });
    await call.getByRole("button", { name: "Copy the call in curl" }).click();
    await call.getByText("Copied").waitFor();
    expect(await copied()).toBe(await call.locator("pre").textContent());
    await answer.getByText("JSON", { exact: true }).click();
    await answer.getByRole("button", { name: "Copy the JSON" }).click();
    await answer.getByText("Copied").waitFor();
    expect(await copied()).toBe(await answer.locator("pre").textContent());
    // What is copied is what is shown now.
    await call.getByRole("button", { name: "Python", exact: true }).click();
    expect(await call.getByText("Copied").count()).toBe(0);
  });
});

async function fillRow(page: Awaited<ReturnType<typeof openPage>>, row: readonly number[]) {
  const fields = page.locator(".features input");
  await fields.first().waitFor();
  for (const [at, value] of row.entries()) await fields.nth(at).fill(String(value));
}
