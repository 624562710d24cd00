import { expect, test } from "vitest";

import { openEncoder } from "./encoder.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { fixture } from "./service.ts";

test.each(inThisFile(["wordpiece", "bpe", "bpe-prefix", "bpe-words", "unigram", "punctuation"]))(
  "%s takes the longest texts without blowing up",
  async (kind) => {
    const assets = new Map([["tokenizer.json", await fixture(`tokenizers/${kind}.json`)]]);
    const { encode } = openEncoder({ tokenizer: "tokenizer.json", maxLength: 512 }, assets);
    for (const text of ["a", " ", " a", "!", "不", "👍", "\n", "é", "1", "ab ", "\u0000"])
      expect(encode({ text: text.repeat(100_000 / text.length) }).input_ids.length).toBeLessThan(
        513,
      );
  },
);
