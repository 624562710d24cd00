import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createTextBudget } from "../../functions/tasks/text-budget.ts";
import { openAlignedTokenizer } from "../../functions/tasks/text/aligned/tokenizer.ts";
import { tokenBatcher } from "../../functions/tasks/text/batch.ts";
import { Effort } from "../../functions/tasks/text/effort.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { atOnce, openEncoder } from "./encoder.ts";
import { assetsOf, optionsFor, recorded, texts, type Recorded } from "./forty-scripts.ts";

const { maxLength, pairMaxLength, every, kinds } = recorded;
const sample = texts.flatMap((text, index) =>
  index % every === 0 ? [{ text, pair: texts.at(index - 1) ?? "" }] : [],
);
const EVERYTHING = 1_000_000;

/** The texts of which something else was made than by Python. */
function unlike(values: readonly unknown[], of: readonly unknown[], digests: string): unknown[] {
  expect(digests.length).toBe(values.length * 4);
  return values.flatMap((value, index) => {
    const digest = createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 4);
    return digest === digests.slice(index * 4, index * 4 + 4) ? [] : [[of[index], value]];
  });
}

/** A graph that takes `width` tokens, or any number of them. */
function manifest(names: readonly string[], width: number) {
  return {
    task: "feature-extraction",
    inputs: names.map((name) => ({ name, datatype: "INT64", shape: [-1, width] })),
    text: optionsFor(pairMaxLength),
  } as unknown as Parameters<typeof tokenBatcher>[0];
}

test("there are two thousand texts, and more than twelve tokenizers", () => {
  expect(texts.length).toBeGreaterThan(2000);
  expect(Object.keys(kinds).length).toBeGreaterThan(12);
  const scripts = SCRIPTS.filter((script) => {
    const letter = new RegExp(`\\p{Script=${script}}`, "u");
    return texts.filter((text) => letter.test(text)).length >= 40;
  });
  expect(scripts.length).toBeGreaterThan(40);
});

/** One of each model, the others in the slow suite. */
const QUICK = ["added", "mistral", "xlm-roberta"];
const ordered = [...new Set([...QUICK, ...Object.keys(kinds)])];

describe.each(inThisFile(ordered, QUICK.length))("%s makes what Python makes", (kind) => {
  const own = kinds[kind] as Recorded;

  test("of whole texts", async () => {
    const { encode } = openEncoder(optionsFor(EVERYTHING), await assetsOf(kind));
    const ids = texts.map((text) => encode({ text }).input_ids);
    expect(unlike(ids, texts, own.whole)).toEqual([]);
  });

  test("of texts cut to length", async () => {
    const { encode } = openEncoder(optionsFor(maxLength), await assetsOf(kind));
    const ids = texts.map((text) => encode({ text }).input_ids);
    expect(unlike(ids, texts, own.cut)).toEqual([]);
  });

  test("of pairs, cut and padded", async () => {
    const { encode, padding } = openEncoder(optionsFor(pairMaxLength), await assetsOf(kind));
    const toRuns = tokenBatcher(manifest(own.inputs, pairMaxLength), padding);
    const rows = sample.map((pair) => {
      const [run] = toRuns([encode(pair)]);
      return own.inputs.map((name) => Array.from(run?.feeds[name]?.data ?? [], Number));
    });
    expect(unlike(rows, sample, own.pairs)).toEqual([]);
  });

  test("of texts and pairs that are cut on the other side", async () => {
    const assets = await assetsOf(kind);
    const text = openEncoder(optionsFor(maxLength), assets);
    const paired = openEncoder(optionsFor(pairMaxLength), assets);
    const config = JSON.parse(Buffer.from(assets.get("tokenizer_config.json")!).toString()) as {
      truncation_side?: string;
    };
    const side = config.truncation_side === "left" ? "cut-right" : "cut-left";
    const rows = sample.map((pair) => [
      text.encode({ text: pair.text }, side).input_ids,
      paired.encode(pair, side).input_ids,
    ]);
    expect(unlike(rows, sample, own.otherSide)).toEqual([]);
  });

  test("of places in texts", async () => {
    const tokenizer = openAlignedTokenizer(optionsFor(EVERYTHING), await assetsOf(kind));
    const budget = createTextBudget();
    const options = { mostCharacters: EVERYTHING, budget, effort: new Effort() };
    const places = sample.map(({ text }) => {
      const [window] = atOnce(
        tokenizer.encode(text, undefined, { ...options, maxLength: EVERYTHING }),
      );
      return window?.starts.map((start, at) => [start, window.ends[at]]);
    });
    expect(unlike(places, sample, own.places)).toEqual([]);
  });
});

test("texts of unequal length share no run where padding would go before them", async () => {
  const { encode, padding } = openEncoder(optionsFor(pairMaxLength), await assetsOf("gpt2"));
  const toRuns = tokenBatcher(manifest(["input_ids", "attention_mask"], -1), padding);
  const runs = toRuns(["a", "b", "a b", "a"].map((text) => encode({ text })));
  expect(runs.map(({ rows }) => rows)).toEqual([2, 1, 1]);
});

const SCRIPTS =
  "Latin Greek Cyrillic Armenian Georgian Hebrew Arabic Syriac Thaana Nko Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar Khmer Mongolian Ethiopic Cherokee Canadian_Aboriginal Ogham Runic Balinese Ol_Chiki Glagolitic Coptic Tifinagh Hiragana Katakana Bopomofo Han Hangul Yi Vai Javanese Gothic Deseret".split(
    " ",
  );
