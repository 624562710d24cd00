import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { brokenRules, browserPath, startBrowser } from "../harness/browser.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";
import { addExport } from "../hugging-face/export-folder.ts";
import { openPage, predict } from "./open-page.ts";

const EXPORTS = {
  "ner-bert": "token-classification",
  "nli-bert": "zero-shot-classification",
  "qa-bert": "question-answering",
  "mask-bert": "fill-mask",
  "rank-bert": "text-ranking",
  "similar-bert": "sentence-similarity",
};

describe.skipIf(!browserPath)("in a browser, of texts", () => {
  let browser: Browser;
  let server: NodeServer;
  let models: string;
  beforeAll(async () => {
    models = await mkdtemp(join(tmpdir(), "nearcast-playground-"));
    for (const [name, task] of Object.entries(EXPORTS)) await addExport(models, name, task);
    for (const name of ["search", "sentiment"])
      await cp(join("models", name), join(models, name), { recursive: true });
    [browser, server] = await Promise.all([
      startBrowser(),
      startNodeServer({ env: { STORE: models } }),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await rm(models, { recursive: true });
  });

  const open = (model: string) => openPage(browser, `${server.url}/playground/${model}`);
  /** What the service itself answers. */
  async function asked<Output>(model: string, inputs: unknown): Promise<Output> {
    const response = await server.fetch(`/v1/models/${model}/predict`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs }),
    });
    return ((await response.json()) as { outputs: Output }).outputs;
  }

  test("texts have labels, several one each", async () => {
    const page = await open("sentiment");
    await page.getByRole("button", { name: "Add a text" }).click();
    await page.getByLabel("Text 1", { exact: true }).fill("Great phone.");
    await page.getByLabel("Text 2", { exact: true }).fill("Terrible. Do not buy it.");
    const answer = await predict(page);
    expect(await answer.locator(".headline").allInnerTexts()).toEqual([
      expect.stringMatching(/^positive/),
      expect.stringMatching(/^negative/),
    ]);
    expect(await answer.getByRole("heading", { level: 4 }).allInnerTexts()).toEqual([
      "Great phone.",
      "Terrible. Do not buy it.",
    ]);
  });

  test("texts are ordered by how near their vectors are", async () => {
    const page = await open("search");
    const texts = ["red lunch bag", "RED RETROSPOT LUNCH BAG", "doormat"];
    await page.getByRole("button", { name: "JSON", exact: true }).click();
    await page.getByLabel("Inputs as JSON").fill(JSON.stringify(texts));
    await page.getByRole("button", { name: "Form", exact: true }).click();
    expect(await page.getByLabel("Text 3", { exact: true }).inputValue()).toBe("doormat");
    const answer = await predict(page);
    expect(await answer.getByRole("rowheader").allInnerTexts()).toEqual([
      "RED RETROSPOT LUNCH BAG",
      "doormat",
    ]);
    await answer.getByLabel("Nearest to").selectOption("doormat");
    expect(await answer.getByRole("row").count()).toBe(2);
    expect(await answer.innerText()).toContain("128 numbers");
  });

  test("words with a label are marked where they are, after emoji too", async () => {
    const text = "👍 I love this great phone and the actor";
    const page = await open("ner-bert");
    await page.getByLabel("Text", { exact: true }).fill(text);
    const answer = await predict(page);
    const found = await asked<{ start: number; end: number }[]>("ner-bert", text);
    expect(found.length).toBeGreaterThan(0);
    const marks = await answer
      .locator("mark")
      .evaluateAll((all: Node[]) => all.map((one) => one.firstChild?.textContent));
    const letters = Array.from(text);
    expect(marks).toEqual(found.map(({ start, end }) => letters.slice(start, end).join("")));
  });

  test("the answer to a question is marked in the text", async () => {
    const page = await open("qa-bert");
    const inputs = {
      question: "what is great",
      context: "the phone is great and the bread is baked",
    };
    await page.getByLabel("Question").fill(inputs.question);
    await page.getByLabel("Text with the answer").fill(inputs.context);
    const answer = await predict(page);
    const [best] = [await asked<{ answer: string }[]>("qa-bert", inputs)].flat();
    expect(best?.answer).not.toBe("");
    expect(await answer.locator(".headline").innerText()).toBe(best?.answer);
    expect(await answer.locator("mark").innerText()).toContain(best?.answer);
  });

  test("labels of one's own are scored", async () => {
    const page = await open("nli-bert");
    const inputs = { text: "great phone", candidate_labels: ["praise", "a complaint"] };
    await page.getByRole("button", { name: "JSON", exact: true }).click();
    await page.getByLabel("Inputs as JSON").fill(JSON.stringify(inputs));
    await page.getByRole("button", { name: "Form", exact: true }).click();
    await page.getByRole("button", { name: "Add a label" }).click();
    await page.getByLabel("Label 3", { exact: true }).fill("bread");
    const answer = await predict(page);
    const labels = await asked<{ label: string }[]>("nli-bert", {
      ...inputs,
      candidate_labels: [...inputs.candidate_labels, "bread"],
    });
    expect(await answer.getByRole("rowheader").allInnerTexts()).toEqual(
      labels.map(({ label }) => label),
    );
  });

  test("words for a mask are in their sentences", async () => {
    const page = await open("mask-bert");
    await page.getByLabel("Text", { exact: true }).fill("great [MASK]");
    const answer = await predict(page);
    const filled = await asked<{ token_str: string }[]>("mask-bert", "great [MASK]");
    expect(await answer.getByRole("rowheader").locator("strong").allTextContents()).toEqual(
      filled.map((one) => one.token_str),
    );
  });

  test("texts are ranked for a query", async () => {
    const page = await open("rank-bert");
    await page.getByLabel("Query").fill("great phone");
    const texts = ["bread is baked", "a phone", "great"];
    const shown = await page.getByRole("textbox", { name: /^Text/ }).count();
    for (let more = shown; more < texts.length; more++)
      await page.getByRole("button", { name: "Add a text" }).click();
    for (const [index, text] of texts.entries())
      await page.getByLabel(`Text ${index + 1}`, { exact: true }).fill(text);
    const answer = await predict(page);
    const ranked = await asked<{ index: number }[]>("rank-bert", { query: "great phone", texts });
    expect(await answer.getByRole("rowheader").allInnerTexts()).toEqual(
      ranked.map(({ index }) => texts[index]),
    );
  });

  test("sentences are ordered by how alike they are, and all of it is accessible", async () => {
    const page = await open("similar-bert");
    await page.getByLabel("Sentence", { exact: true }).fill("great phone");
    await page.getByLabel(/^Other sentence( 1)?$/).fill("great phone");
    const answer = await predict(page);
    expect(await answer.getByRole("rowheader").first().innerText()).toBe("great phone");
    expect(await answer.getByRole("cell").first().innerText()).toBe("1");
    expect(await brokenRules(page)).toEqual({});
  });
});
