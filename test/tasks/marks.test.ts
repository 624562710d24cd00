import { expect, test } from "vitest";
import { withOrderedMarks } from "../../functions/tasks/text/marks.ts";
import { openEncoder } from "./encoder.ts";
import { fixture } from "./service.ts";

const FORMS = ["NFC", "NFD", "NFKC", "NFKD"] as const;
const marks = Array.from({ length: 0x11_0000 }, (_, code) => code)
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code))
  .filter((character) => /\p{M}/u.test(character));

test("ordered marks have the same normal forms", () => {
  for (let step = 1; step < 200; step++) {
    const run = Array.from({ length: 64 + step }, (_, at) => marks[(at * step * 7) % marks.length]);
    for (const start of ["e", "é", "ᄀ", "ﬁ", ""]) {
      const text = `${start}${run.join("")}x`;
      for (const form of FORMS)
        expect(withOrderedMarks(text).normalize(form)).toBe(text.normalize(form));
    }
  }
});

test.each(["wordpiece", "bpe-words", "unigram", "punctuation"])(
  "%s takes fifty thousand marks in the worst order in linear time",
  async (kind) => {
    const assets = new Map([["tokenizer.json", await fixture(`tokenizers/${kind}.json`)]]);
    const { encode } = openEncoder({ tokenizer: "tokenizer.json", maxLength: 512 }, assets);
    const began = performance.now();
    encode({ text: "a" + "\u0301\u0316".repeat(50_000) });
    // Sorted by insertion it takes ten seconds.
    expect(performance.now() - began).toBeLessThan(3000);
  },
);
