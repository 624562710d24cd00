import * as z from "zod";
import { PUNCTUATION } from "./old-categories.ts";

/** A step of `tokenizer.json`: a normalizer or a pre-tokenizer. */
const stepSchema = z.looseObject({ type: z.string() });
type Step = z.infer<typeof stepSchema>;

/** Options of models that the library would ignore silently. */
const UNSUPPORTED = [
  ["BPE", "continuing_subword_prefix"],
  ["BPE", "dropout"],
] as const;

/**
 * Rewrites the steps that @huggingface/tokenizers 0.2.0 does differently into steps that give the reference's tokens.
 * The reference is the Rust library `tokenizers`, with which models are trained. Throws an Error for steps that cannot
 * be rewritten. A test compares with a record of the reference's ids for a thousand texts.
 */
export function likeReference<
  T extends {
    model: { type: string; [option: string]: unknown };
    normalizer: unknown;
    pre_tokenizer: unknown;
    post_processor: unknown;
  },
>(json: T): T {
  for (const [type, option] of UNSUPPORTED)
    if (json.model.type === type && json.model[option])
      throw new Error(`a ${type} model with ${option} is not supported`);
  return {
    ...json,
    post_processor: postProcessor(json.post_processor),
    normalizer: json.normalizer === null ? null : rewrite(json.normalizer, NORMALIZERS),
    pre_tokenizer: json.pre_tokenizer === null ? null : rewrite(json.pre_tokenizer, PRE_TOKENIZERS),
  };
}

/** RoBERTa has one type of token, but the library gives the second text of a pair another type. */
function postProcessor(given: unknown): unknown {
  const step = stepSchema.nullable().parse(given);
  if (Array.isArray(step?.["processors"]))
    return { ...step, processors: step["processors"].map(postProcessor) };
  if (step?.type !== "RobertaProcessing") return step;
  const [cls, sep] = [step["cls"], step["sep"]].map((token) => ({
    SpecialToken: { id: (token as [string, number])[0], type_id: 0 },
  }));
  const [first, second] = ["A", "B"].map((id) => ({ Sequence: { id, type_id: 0 } }));
  const single = [cls, first, sep];
  return { type: "TemplateProcessing", single, pair: [...single, sep, second, sep] };
}

type Rewrites = Record<string, (step: Step) => Step>;

function rewrite(given: unknown, rewrites: Rewrites): Step {
  const step = stepSchema.parse(given);
  for (const inner of ["normalizers", "pretokenizers"])
    if (Array.isArray(step[inner]))
      return { ...step, [inner]: step[inner].map((one) => rewrite(one, rewrites)) };
  return rewrites[step.type]?.(step) ?? step;
}

// JavaScript lowers Σ at the end of a word to ς. The reference lowers letter by letter.
const PLAIN_SIGMA = { type: "Replace", pattern: { String: "Σ" }, content: "σ" };
// The library searches for ideographs in UTF-16 units and misses those beyond the first plane.
const SPACED_IDEOGRAPHS = {
  type: "Replace",
  pattern: {
    Regex: "[\\u{20000}-\\u{2A6DF}\\u{2A700}-\\u{2B81F}\\u{2B920}-\\u{2CEAF}\\u{2F800}-\\u{2FA1F}]",
  },
  content: " $& ",
};

const NORMALIZERS: Rewrites = {
  BertNormalizer: (step) =>
    normalizers([
      ...(step["handle_chinese_chars"] ? [SPACED_IDEOGRAPHS] : []),
      ...(step["lowercase"] ? [PLAIN_SIGMA] : []),
      step,
    ]),
  Lowercase: (step) => normalizers([PLAIN_SIGMA, step]),
  // The library uses `trim`, which removes U+FEFF and leaves U+0085.
  Strip: ({ strip_left: left, strip_right: right }) => {
    const ends = [left && "\\A\\s+", right && "(?<!\\s)\\s+\\z"].filter(Boolean).join("|");
    return { type: "Replace", pattern: { Regex: ends || "(?!)" }, content: "" };
  },
  // `$` has a meaning in JavaScript's replacements.
  Replace: (step) => ({ ...step, content: String(step["content"]).replaceAll("$", "$$$$") }),
};

const WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

// JavaScript's \s, \d and \w differ from Unicode's. The library translates them only in Split.
const PRE_TOKENIZERS: Rewrites = {
  Whitespace: () => kept(`[${WORD}]+|[^${WORD}\\s]+`),
  WhitespaceSplit: () => kept("\\S+"),
  BertPreTokenizer: () => preTokenizers([kept("\\S+"), isolated(PUNCTUATION)]),
  Digits: (step) => isolated(step["individual_digits"] ? "\\p{N}" : "\\p{N}+"),
  Punctuation: ({ behavior = "Isolated" }) =>
    split({ type: "Split", pattern: { Regex: PUNCTUATION }, behavior, invert: false }),
  Split: split,
  // The library does not split at the marks, and adds up the scores of the whole text. Ties then end differently.
  Metaspace: (step) => {
    const { replacement = "▁", split: wanted = true, add_prefix_space: prefixed = true } = step;
    const scheme = step["prepend_scheme"] ?? (prefixed ? "always" : "never");
    const marked = { ...step, prepend_scheme: scheme };
    if (!wanted) return marked;
    const pattern = { String: String(replacement) };
    return preTokenizers([marked, split({ type: "Split", pattern, behavior: "MergedWithNext" })]);
  },
  ByteLevel: (step) => {
    if (step["use_regex"] === false) return step;
    const prefix = { type: "Replace", pattern: { Regex: "\\A[^ ]" }, content: " $&" };
    return preTokenizers([
      ...(step["add_prefix_space"] ? [prefix] : []),
      isolated(GPT2),
      { ...step, add_prefix_space: false, use_regex: false },
    ]);
  },
};

/** Rewrites a Split. The library knows only two behaviours, and takes `invert` as "keep only the matches". */
function split(step: Step): Step {
  const {
    pattern,
    behavior,
    invert = false,
  } = step as Step & {
    pattern: { String?: string; Regex?: string };
    behavior: string;
  };
  const match = pattern.Regex ?? (pattern.String ?? "").replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  const other = `(?:(?!${match})[\\s\\S])`;
  if (behavior === "Isolated") return isolated(match);
  if (behavior === "Removed") return { ...step, behavior, invert };
  if (!invert && behavior === "Contiguous") return isolated(`(?:${match})+`);
  if (!invert && behavior === "MergedWithPrevious") return kept(`${other}*(?:${match})|${other}+`);
  if (!invert && behavior === "MergedWithNext") return kept(`(?:${match})${other}*|${other}+`);
  throw new Error(`a Split that is ${behavior} and inverted is not supported`);
}

/** The pieces are the matches. The text between them is dropped. */
function kept(regex: string): Step {
  return { type: "Split", pattern: { Regex: regex }, behavior: "Removed", invert: true };
}

/** The pieces are the matches and the texts between them. */
function isolated(regex: string): Step {
  return { type: "Split", pattern: { Regex: regex }, behavior: "Isolated", invert: false };
}

function normalizers(steps: Step[]): Step {
  return { type: "Sequence", normalizers: steps };
}

function preTokenizers(steps: Step[]): Step {
  return { type: "Sequence", pretokenizers: steps };
}
