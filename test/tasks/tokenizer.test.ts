import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Manifest } from "../../functions/model/manifest.ts";
import { tokenBatcher } from "../../functions/tasks/text/batch.ts";
import type { TextInput } from "../../functions/tasks/text/tokenizer.ts";
import { openEncoder } from "./encoder.ts";
import { fixture } from "./service.ts";

interface Expected {
  maxLength: number;
  pairMaxLength: number;
  batch: number;
  inFull: number[][];
  whole: string;
  cut: string;
  pairs: string;
  batches: string;
}

const texts = JSON.parse(
  gunzipSync(await fixture("tokenizers/texts.json.gz")).toString(),
) as string[];
const expected = JSON.parse(
  Buffer.from(await fixture("tokenizers/expected.json")).toString(),
) as Record<string, Expected>;
const pairs = texts.map((text, index): TextInput => ({
  text,
  pair: texts[(index + 1) % texts.length] ?? "",
}));

const names = ["input_ids", "attention_mask", "token_type_ids"] as const;

async function open(kind: string, maxLength: number) {
  const assets = new Map([["tokenizer.json", await fixture(`tokenizers/${kind}.json`)]]);
  return openEncoder({ tokenizer: "tokenizer.json", maxLength }, assets);
}

/** The texts whose ids differ from the Python library's, by the recorded digests. */
function unlike(values: unknown[], digests: string): unknown[] {
  expect(digests.length).toBe(values.length * 4);
  return values.flatMap((value, index) => {
    const digest = createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 4);
    return digest === digests.slice(index * 4, index * 4 + 4) ? [] : [[index, texts[index]]];
  });
}

test("there are a thousand sentences and more", () => {
  expect(texts.length).toBeGreaterThan(1000);
  expect(texts).toContain("");
});

describe.each(Object.keys(expected))("the tokenizer %s makes the same ids as Python's", (kind) => {
  const recorded = expected[kind] as Expected;

  test("of whole texts", async () => {
    const { encode } = await open(kind, 1_000_000);
    const ids = texts.map((text) => encode({ text }).input_ids);
    expect(ids.slice(0, recorded.inFull.length)).toEqual(recorded.inFull);
    expect(unlike(ids, recorded.whole)).toEqual([]);
  });

  test("of texts cut to length", async () => {
    const { encode } = await open(kind, recorded.maxLength);
    const ids = texts.map((text) => encode({ text }).input_ids);
    expect(unlike(ids, recorded.cut)).toEqual([]);
    expect(ids.filter(({ length }) => length === recorded.maxLength).length).toBeGreaterThan(100);
  });

  test("of pairs cut to length, with masks and types", async () => {
    const { encode } = await open(kind, recorded.pairMaxLength);
    const rows = pairs.map((pair) => {
      const encoding = encode(pair);
      return names.map((name) => encoding[name]);
    });
    expect(unlike(rows, recorded.pairs)).toEqual([]);
  });

  test("of padded batches of pairs", async () => {
    const { encode, padding } = await open(kind, recorded.pairMaxLength);
    const toRuns = tokenBatcher(manifest(recorded.pairMaxLength), padding);
    const batches = Array.from({ length: Math.ceil(pairs.length / recorded.batch) }, (_, index) =>
      pairs.slice(index * recorded.batch, (index + 1) * recorded.batch),
    ).map((batch) => {
      const runs = toRuns(batch.map((pair) => encode(pair)));
      expect(runs.length).toBe(1);
      return batch.map((_, row) =>
        names.map((name) => {
          const { shape, data } = runs[0]?.feeds[name] ?? { shape: [0, 0], data: [] };
          const width = shape[1] ?? 0;
          return Array.from(data.slice(row * width, (row + 1) * width), Number);
        }),
      );
    });
    expect(unlike(batches, recorded.batches)).toEqual([]);
  });
});

test("a long text does not make the short ones of its batch long", async () => {
  const { encode, padding } = await open("wordpiece", 4096);
  const toRuns = tokenBatcher(manifest(4096), padding);
  const runs = toRuns(
    ["a", "b", "c", "d", "e", "f", "word ".repeat(5000), "g", "h", "i"].map((text) =>
      encode({ text }),
    ),
  );
  expect(runs.map(({ rows }) => rows)).toEqual([6, 2, 2]);
  expect(runs.map(({ feeds }) => feeds["input_ids"]?.shape)).toEqual([
    [6, 3],
    [2, 4096],
    [2, 3],
  ]);
  expect(runs.map(({ tokens }) => tokens)).toEqual([18, 4099, 6]);
});

test.each([
  ["an unknown normalizer", { normalizer: { type: "Nmt" } }],
  ["a character map of SentencePiece", { normalizer: { type: "Precompiled" } }],
  ["an unknown pre-tokenizer", { pre_tokenizer: { type: "UnicodeScripts" } }],
  ["an unknown model", { model: { type: "WordLevel", vocab: {} } }],
])("%s is refused", async (_, change) => {
  const json = JSON.parse(
    Buffer.from(await fixture("tokenizers/wordpiece.json")).toString(),
  ) as object;
  const bytes = Buffer.from(JSON.stringify({ ...json, ...change }));
  const open = () =>
    openEncoder({ tokenizer: "t.json", maxLength: 8 }, new Map([["t.json", bytes]]));
  expect(open).toThrow();
});

function manifest(maxLength: number) {
  return {
    task: "feature-extraction",
    inputs: names.map((name) => ({ name, datatype: "INT64", shape: [-1, -1] })),
    text: { tokenizer: "tokenizer.json", maxLength },
  } as unknown as Manifest;
}
