import { expect, test } from "vitest";
import { createRandom } from "../adversarial/random.ts";
import { CLUSTERS } from "../../functions/tasks/text/clusters.ts";

/** Characters of one to three bytes that join with others in each of the ways there are, and those that do not. */
const CHARACTERS = Array.from(
  "aé\r\n\t\u00ad\u0600\u070f\u0301\u0323\u093e\u0e33\u200b\u200c\u200d\u102b\u2028각나\u1100\u1161\u11a8漢ก่",
);

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
const bytes = (text: string) => Buffer.byteLength(text);

/** Where clusters of two code points and less than six bytes are. Longer ones are taken apart, whatever they are. */
function short(clusters: Iterable<{ text: string; index: number }>): string[] {
  return Array.from(clusters)
    .filter(({ text }) => bytes(text) < 6 && Array.from(text).length > 1)
    .map(({ text, index }) => `${index} ${JSON.stringify(text)}`);
}

test("short clusters are those of Unicode's own segmentation", () => {
  const random = createRandom(1, 0);
  for (let round = 0; round < 20_000; round++) {
    const text = Array.from({ length: 6 }, () => random.pick(CHARACTERS)).join("");
    const found = Array.from(text.matchAll(CLUSTERS), (match) => ({
      text: match[0],
      index: match.index,
    }));
    const expected = Array.from(segmenter.segment(text), ({ segment, index }) => ({
      text: segment,
      index,
    }));
    expect(short(found), JSON.stringify(text)).toEqual(short(expected));
  }
});
