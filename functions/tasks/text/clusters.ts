/**
 * Finds the characters that a reader sees as one: graphemes of two code points or more (Unicode Standard Annex 29, table
 * 1c). Takes a tenth of the time of `Intl.Segmenter`. Joins of emojis, flags and Indic letters are left out: they have
 * six bytes or more, and {@link precompiledMap} takes such graphemes apart.
 */

/** Joins with the character after it. */
const PREPENDED =
  "\\u0600-\\u0605\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u0d4e\\u{110bd}\\u{110cd}\\u{111c2}\\u{111c3}\\u{113d1}\\u{1193f}\\u{11941}\\u{11a3a}\\u{11a84}-\\u{11a89}\\u{11d46}\\u{11f02}";

/** Spacing marks that join with nothing. Most are Burmese. */
const FREE_MARKS =
  "\\u102b\\u102c\\u1038\\u1062-\\u1064\\u1067-\\u106d\\u1083\\u1087-\\u108c\\u108f\\u109a-\\u109c\\u1a61\\u1a63\\u1a64\\uaa7b\\uaa7d\\u{11720}\\u{11721}";

/** Joins with the character before it. */
const JOINING = `[\\p{Grapheme_Extend}\\p{Emoji_Modifier}\\u200d\\u0e33\\u0eb3[\\p{Mc}--[${FREE_MARKS}]]]`;

/** Joins with nothing. */
const CONTROL = `[\\p{Cc}\\p{Zl}\\p{Zp}[\\p{Cf}--[${PREPENDED}\\u200c\\u200d\\u{e0020}-\\u{e007f}]]]`;

/** Letters of Korean syllables: those that begin one, its vowels, and those that end it. */
const [LEADING, VOWEL, TRAILING] = [
  "\\u1100-\\u115f\\ua960-\\ua97c",
  "\\u1160-\\u11a7\\ud7b0-\\ud7c6",
  "\\u11a8-\\u11ff\\ud7cb-\\ud7fb",
];
/** Whole syllables, and those of them that no letter ends. */
const SYLLABLE = "가-힣";
const OPEN = Array.from({ length: 399 }, (_, index) => String.fromCharCode(0xac00 + 28 * index));
const RHYME = `(?:[${VOWEL}]+|[${OPEN.join("")}][${VOWEL}]+|[${SYLLABLE}](?=[${TRAILING}]))[${TRAILING}]*`;
const KOREAN = `(?:[${LEADING}]+(?:${RHYME}|[${SYLLABLE}])?|${RHYME}|[${TRAILING}]+)`;

const ONE = `(?:${KOREAN}|[^${CONTROL}])`;

export const CLUSTERS = new RegExp(
  `\\r\\n|[${PREPENDED}]+(?:${ONE}${JOINING}*)?|${KOREAN}${JOINING}*|[^${CONTROL}]${JOINING}+`,
  "gv",
);
