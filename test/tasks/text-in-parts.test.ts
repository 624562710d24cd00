import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { createTextBudget } from "../../functions/tasks/text-budget.ts";
import { Effort } from "../../functions/tasks/text/effort.ts";
import { openTokenizer } from "../../functions/tasks/text/tokenizer.ts";
import { openEncoder } from "./encoder.ts";
import { bertPackage, emptyStore, fixture, writePackage } from "./service.ts";

const LENGTH = 100_000;
const full = (text: string) => text.repeat(LENGTH / text.length).slice(0, LENGTH);

/** Texts that took seconds by one tokenizer or another, and those that look as if they might. */
const texts = {
  letters: full("a"),
  "words of 99 letters": full(`${"a".repeat(99)} `),
  "words that end with what no token has": full(`${"a".repeat(98)}☃ `),
  spaces: full(" "),
  "lines and spaces": full(" \n"),
  "a selector behind each letter": full("a\uFE0F"),
  apostrophes: full("'s"),
  "beginnings of a special token": full("[CL"),
  "special tokens": full("<s>"),
  "marks in the worst order": full("\u0301\u0316"),
  "short runs of marks": full(`a${"\u0301\u0316".repeat(11)}`),
  "long runs of marks": full(`a${"\u0301\u0316".repeat(40)}`),
  "joined emojis": full("👨‍👩‍👧"),
  flags: full("🇩🇪"),
  ideographs: full("中"),
  "ideographs beyond the first plane": full("𠀀"),
  "Korean letters": full("각"),
};

const kinds = ["wordpiece", "bpe", "unigram"];

async function assetsOf(kind: string) {
  return new Map([["tokenizer.json", await fixture(`tokenizers/${kind}.json`)]]);
}

describe.each(kinds)("%s", (kind) => {
  test.each(Object.entries(texts))("%s: in many parts, in linear time", async (_name, text) => {
    const options = { tokenizer: "tokenizer.json", maxLength: 512 };
    const tokenizer = openTokenizer(options, await assetsOf(kind));
    const began = performance.now();
    const parts = tokenizer.encode(
      { text },
      {
        longTexts: "refuse",
        mostCharacters: 4 * LENGTH,
        budget: createTextBudget(),
        effort: new Effort(),
      },
    );
    let count = 1;
    while (!parts.next().done) count++;
    // A pause between the steps at least. In the square of its length a text took five seconds and more.
    expect(count).toBeGreaterThan(1);
    expect(performance.now() - began).toBeLessThan(4000);
  });
});

test.each(kinds)("%s: a text that is cut has the ids of the whole text", async (kind) => {
  const { encode } = openEncoder(
    { tokenizer: "tokenizer.json", maxLength: 64 },
    await assetsOf(kind),
  );
  const long = openEncoder(
    { tokenizer: "tokenizer.json", maxLength: 1_000_000 },
    await assetsOf(kind),
  );
  const [text, pair] = ["The quick 'brown' fox. ".repeat(300), "jumped over 12 dogs, ".repeat(500)];
  const whole = long.encode({ text });
  const cut = encode({ text });
  expect(cut.input_ids).toHaveLength(64);
  expect(cut.input_ids.slice(0, 60)).toEqual(whole.input_ids.slice(0, 60));
  // Tokens that are cut off are not made, unless they have to be counted.
  expect(cut.uncut).toBeLessThan(100);
  expect(encode({ text }, "refuse").uncut).toBe(whole.input_ids.length);
  for (const given of [
    { text, pair },
    { text: pair, pair: text },
    { text, pair: "short" },
    { text: "short", pair: text },
  ])
    expect(encode(given).input_ids).toEqual(encode(given, "refuse").input_ids);
});

test("letters that become many others are refused before they take memory", async () => {
  const store = await emptyStore();
  const parts = await bertPackage();
  const assets = { "tokenizer.json": await fixture("tokenizers/unigram.json") };
  await writePackage(store, { ...parts, assets });
  const app = createApp(createService(createNodePlatform({ STORE: store })));
  const response = await app.request("/v1/models/bert/predict", {
    method: "POST",
    body: JSON.stringify({ inputs: ["fine", full("\uFDFA")] }),
    headers: { "Content-Type": "application/json" },
  });
  expect(response.status).toBe(422);
  expect(await response.json()).toMatchObject({
    errors: [{ path: "inputs[1]", message: expect.stringContaining("1800000") as string }],
  });
});

test("a request of long texts sees its deadline, and others are answered meanwhile", async () => {
  const store = await emptyStore();
  const assets = { "tokenizer.json": await fixture("tokenizers/unigram.json") };
  await writePackage(store, { ...(await bertPackage()), assets });
  const app = createApp(
    createService(createNodePlatform({ STORE: store, REQUEST_TIMEOUT_MS: "500" })),
  );
  const predict = async (inputs: unknown) => {
    const body = JSON.stringify({ inputs });
    const headers = { "Content-Type": "application/json" };
    return (await app.request("/v1/models/bert/predict", { method: "POST", body, headers })).status;
  };
  // Loads the model.
  while ((await predict("fine")) !== 200);
  const slow = { status: 0 };
  // One word each.
  void predict(Array.from({ length: 55 }, () => full("a"))).then(
    (status) => (slow.status = status),
  );
  let healthy = 0;
  while (slow.status === 0) {
    if ((await app.request("/health")).ok) healthy++;
    await setImmediate();
  }
  expect(slow.status).toBe(504);
  expect(healthy).toBeGreaterThan(2);
});
