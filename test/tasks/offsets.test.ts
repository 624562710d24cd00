import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { openAlignedTokenizer, type Window } from "../../functions/tasks/text/aligned/tokenizer.ts";
import { Effort } from "../../functions/tasks/text/effort.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { exportFolder } from "../hugging-face/export-folder.ts";
import { atOnce } from "./encoder.ts";
import { fixture } from "./service.ts";

type Recorded = Record<"whole" | "windows" | "pairs", string>;

const { texts: chosen, ...recorded } = JSON.parse(
  Buffer.from(await fixture("tokenizers/offsets.json")).toString(),
) as { texts: number[] } & Record<string, Recorded>;
const all = JSON.parse(
  gunzipSync(await fixture("tokenizers/texts.json.gz")).toString(),
) as string[];
const texts = chosen.map((index) => all[index] ?? "");
// The sizes of the windows in make-offsets.py.
const [WINDOW, STRIDE, SECOND] = [12, 4, 6];

async function open(name: string) {
  if (name.startsWith("tokenizers/"))
    return openAlignedTokenizer(
      { tokenizer: "t.json", maxLength: 1e6 },
      new Map([["t.json", await fixture(name)]]),
    );
  const { folder, remove } = await exportFolder(name.slice("hugging-face/".length));
  const files = ["tokenizer.json", "tokenizer_config.json"] as const;
  const assets = new Map<string, Uint8Array>();
  for (const file of files) assets.set(file, await readFile(join(folder, file)));
  await remove();
  return openAlignedTokenizer(
    { tokenizer: files[0], tokenizerConfig: files[1], maxLength: 1e6 },
    assets,
  );
}

const budget = { takeCharacters: () => {} };
const options = () => ({ mostCharacters: 4_000_000, budget, effort: new Effort() });

/** A window as the record has it: its ids, its places, and the numbers of its words from 0 on. */
function row({ input_ids: ids, starts, ends, words, sequences }: Window) {
  const known: Record<number, number[]> = {};
  const numbers = words.map((word, at) => {
    const own = (known[sequences[at] ?? 0] ??= []);
    if (word >= 0 && own.at(-1) !== word) own.push(word);
    return word < 0 ? -1 : own.length - 1;
  });
  return [ids, starts.map((start, at) => [start, ends[at]]), numbers];
}

/** The texts whose rows differ from the record. */
function unlike(values: unknown[], digests: string): unknown[] {
  expect(digests.length).toBe(values.length * 4);
  return values.flatMap((value, index) => {
    const digest = createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 4);
    return digest === digests.slice(index * 4, index * 4 + 4) ? [] : [[texts[index], value]];
  });
}

// One of each kind here, the others in the slow file.
const first = ["bpe.json", "unigram.json", "wordpiece.json"].map((file) => `tokenizers/${file}`);
const others = Object.keys(recorded).filter((name) => !first.includes(name));

describe.each(inThisFile([...first, ...others], first.length))(
  "%s says where tokens come from as Python does",
  (name) => {
    const opened = open(name);
    const wanted = recorded[name] as Recorded;

    test("in whole texts, in parts of long texts, and in pairs", async () => {
      const tokenizer = await opened;
      const windows = (text: string, second: string | undefined, maxLength: number, stride = 0) =>
        atOnce(tokenizer.encode(text, second, { ...options(), maxLength, stride })).map(row);
      const whole = texts.map((text) => windows(text, undefined, 1e6)[0]);
      expect(unlike(whole, wanted.whole)).toEqual([]);
      const parts = texts.map((text) => windows(text, undefined, WINDOW, STRIDE));
      expect(unlike(parts, wanted.windows)).toEqual([]);
      const used = windows("a b", "", 1e6)[0]?.[0]?.length ?? 0;
      const pairs = texts.map((text) => windows("a b", text, used + SECOND, STRIDE));
      expect(unlike(pairs, wanted.pairs)).toEqual([]);
    });
  },
);

test("places count characters, not UTF-16 units", async () => {
  const tokenizer = await open("tokenizers/wordpiece-cased.json");
  const text = "👍🏽 Good 𠀀 food";
  const [window] = atOnce(tokenizer.encode(text, undefined, { ...options(), maxLength: 100 }));
  const characters = Array.from(text);
  const words = window?.input_ids.map((id, at) => [
    tokenizer.tokenOf(id),
    characters.slice(window.starts[at], window.ends[at]).join(""),
  ]);
  expect(words).toContainEqual(["food", "food"]);
  expect(window?.starts.at(-2)).toBe(10);
});
