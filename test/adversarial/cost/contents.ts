import type { Gene, Genes } from "./genes.ts";

/** Characters that some step takes longer over than over others: normalisation, splitting, lower case, UTF-8. */
const CHARACTERS = {
  letter: "a",
  word: "a ",
  rareWord: "zqxjk ",
  softHyphen: "a\u00ad",
  joiner: "a\u200d",
  accent: "é",
  mark: "\u0301",
  // Two classes of marks in the wrong order: each must be sorted past the other.
  marks: "\u0301\u0323",
  letterAndMark: "a\u0301",
  hangul: "각",
  jamo: "\u1100\u1161\u11a8",
  ideograph: "漢",
  emoji: "👍🏽",
  family: "👩‍👩‍👧",
  ligature: "\ufdfa",
  dot: ".",
  dots: "...,;",
  space: " ",
  tab: "\\t",
  line: "\\n",
  fullWidth: "Ａ",
  dottedI: "İ",
  sigma: "Σ",
  quote: '\\"',
  escape: "\\u0061",
  escapedMark: "\\u0301",
  loneSurrogate: "\\ud800",
  nul: "\\u0000",
  digit: "7",
  digits: "12.5e3,",
  special: "[MASK]",
  bars: "</s>",
  underline: "▁",
} as const;

const UNITS = {
  zero: "0",
  one: "1",
  negativeZero: "-0.0",
  decimal: "0.1",
  large: "1e300",
  infinite: "1e999",
  long: "1234567890123456789",
  emptyText: '""',
  text: '"a"',
  digits: '"1"',
  nan: '"NaN"',
  b64: '{"b64":"AA=="}',
  emptyList: "[]",
  list: "[0]",
  emptyObject: "{}",
  object: '{"a":0}',
  proto: '{"__proto__":0}',
  null: "null",
  true: "true",
} as const;

const SHAPES = [
  "list",
  "lists",
  "deepLists",
  "keys",
  "records",
  "deep",
  "deepObjects",
  "text",
  "texts",
  "digits",
  "spaces",
] as const;

/** The genes of {@link content}. */
export const CONTENT_GENES = {
  shape: SHAPES,
  unit: ["valid", "random", ...Object.keys(UNITS)],
  character: Object.keys(CHARACTERS),
  count: [1, 3_000_000],
  width: [1, 200_000],
} satisfies Record<string, Gene>;

/** Longer text than any deployment takes by default. */
const LONGEST = 6_400_000;

/** JSON text of one of {@link SHAPES}; `valid` is one input as the place takes it. Undefined for too long a text. */
export function content(genes: Genes, valid: string): string | undefined {
  const { shape, unit, character, count, width } = genes as {
    shape: (typeof SHAPES)[number];
    unit: string;
    character: keyof typeof CHARACTERS;
    count: number;
    width: number;
  };
  const item = unitText(unit, valid);
  const letters = CHARACTERS[character];
  const items = (from: string, length: number): string | undefined =>
    (from.length + 1) * length > LONGEST
      ? undefined
      : unit === "random" && from === item
        ? randomNumbers(length)
        : repeated(from, length);
  const list = (from: string | undefined, length: number): string | undefined => {
    const inner = from === undefined ? undefined : items(from, length);
    return inner === undefined ? undefined : `[${inner}]`;
  };
  switch (shape) {
    case "list":
      return list(item, count);
    case "lists":
      return list(list(item, width), count);
    case "deepLists":
      return list(list(list(item, 4), width), count);
    case "keys":
      return keys(item, count);
    case "records":
      return list(keys(item, width), count);
    case "deep":
      return count > LONGEST / 2 ? undefined : "[".repeat(count) + item + "]".repeat(count);
    case "deepObjects":
      return count > LONGEST / 6 ? undefined : '{"a":'.repeat(count) + item + "}".repeat(count);
    case "text":
      return letters.length * count > LONGEST ? undefined : `"${letters.repeat(count)}"`;
    case "texts":
      return letters.length * width > LONGEST
        ? undefined
        : list(`"${letters.repeat(width)}"`, count);
    case "digits":
      return "1".repeat(count);
    case "spaces":
      return " ".repeat(count) + item;
  }
}

function unitText(unit: string, valid: string): string {
  if (unit === "valid") return valid;
  return unit === "random" ? "0.123" : (UNITS[unit as keyof typeof UNITS] ?? "0");
}

/** An object with so many names. */
function keys(item: string, count: number): string | undefined {
  if (count * (item.length + 9) > LONGEST) return undefined;
  return `{${Array.from({ length: count }, (_, index) => `"${index.toString(36)}k":${item}`).join()}}`;
}

/** Numbers that hardly compress. */
function randomNumbers(count: number): string {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state / 2 ** 32).toFixed(3);
  }).join();
}

function repeated(text: string, count: number): string {
  return `${text},`.repeat(count).slice(0, -1);
}
