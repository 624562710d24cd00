import * as z from "zod";

const addedToken = z.looseObject({ content: z.string() });
const side = z.enum(["left", "right"]).nullish();
const token = z.union([z.string(), addedToken]).nullish();

/** The settings of `tokenizer_config.json` that change tokens. Other settings are ignored. */
export const tokenizerConfigSchema = z.looseObject({
  tokenizer_class: z.string().nullish(),
  do_lower_case: z.boolean().nullish(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().nullish(),
  add_prefix_space: z.boolean().nullish(),
  add_bos_token: z.boolean().nullish(),
  add_eos_token: z.boolean().nullish(),
  truncation_side: side,
  padding_side: side,
  model_input_names: z.array(z.string()).nullish(),
  pad_token_type_id: z.number().int().nullish(),
  added_tokens_decoder: z.record(z.string(), addedToken).nullish(),
  bos_token: token,
  eos_token: token,
  unk_token: token,
  sep_token: token,
  pad_token: token,
  cls_token: token,
  mask_token: token,
  additional_special_tokens: z.array(z.union([z.string(), addedToken])).nullish(),
});

export type TokenizerConfig = z.infer<typeof tokenizerConfigSchema>;

/** The members of the configuration that hold one special token each. */
export const SPECIAL_TOKENS = [
  "bos_token",
  "eos_token",
  "unk_token",
  "sep_token",
  "pad_token",
  "cls_token",
  "mask_token",
] as const;

/** Tokenizer classes that set the lower case, accents and ideographs of a BertNormalizer, with these defaults. */
const LIKE_BERT =
  /^(Bert|ConvBert|DistilBert|DPR\w*|Electra|Funnel|LayoutLM|LayoutLMv2|Lxmert|MobileBert|Realm|Retribert|Splinter|SqueezeBert)Tokenizer(Fast)?$/;
const LIKE_MPNET = /^MPNetTokenizer(Fast)?$/;
/** Tokenizer classes that make token_type_ids only when the configuration asks for them. */
const ONE_TYPE =
  /^(Bart|Barthez|Camembert|CLIP|DistilBert|GPT2|GPTNeoX|Longformer|LED|Llama|MPNet|Qwen2|Roberta|T5|XLMRoberta)Tokenizer(Fast)?$/;

/** Tokenizer classes that put the tokens of a text's ends around it, whatever the post-processor says. */
export const ADDS_ENDS = /^(Gemma|Llama)Tokenizer(Fast)?$/;
/** Tokenizer classes that pad on the left unless they are told otherwise. */
const PADS_LEFT = /^(CodeLlama|Cohere|Gemma|Llama|XLNet)Tokenizer(Fast)?$/;

interface Tokenizer {
  model: { type: string; [option: string]: unknown };
  added_tokens: { id: number; content: string; [flag: string]: unknown }[];
  normalizer: unknown;
  pre_tokenizer: unknown;
  post_processor?: unknown;
  truncation?: { direction: "Left" | "Right" } | null | undefined;
  padding?:
    | { pad_id: number; pad_type_id: number; direction?: "Left" | "Right" }
    | null
    | undefined;
}

/**
 * Applies the settings of `tokenizer_config.json` to `tokenizer.json`. They go before its own, as in transformers'
 * AutoTokenizer.
 */
export function configured<T extends Tokenizer>(
  json: T,
  config: TokenizerConfig,
): T & { padsLeft: boolean } {
  const added_tokens = withAddedTokens(json, config);
  const side = config.truncation_side;
  const { padding_side: padding = json.padding?.direction?.toLowerCase() } = config;
  const pad = contentOf(config.pad_token);
  const pad_id = pad === undefined ? json.padding?.pad_id : idOf(pad, json, added_tokens);
  const pad_type_id = config.pad_token_type_id ?? json.padding?.pad_type_id ?? 0;
  return {
    ...json,
    added_tokens,
    normalizer: normalizer(json.normalizer, config),
    pre_tokenizer: preTokenizer(json.pre_tokenizer, config),
    ...(ADDS_ENDS.test(config.tokenizer_class ?? "") && { post_processor: ends(config) }),
    ...(side && { truncation: { direction: side === "left" ? "Left" : "Right" } }),
    padding: pad_id === undefined ? null : { pad_id, pad_type_id },
    padsLeft: padding ? padding === "left" : PADS_LEFT.test(config.tokenizer_class ?? ""),
  };
}

/** Whether all tokens of a pair have the type 0, whatever the post-processor says. */
export function hasOneType({ model_input_names: names, tokenizer_class }: TokenizerConfig) {
  return names ? !names.includes("token_type_ids") : ONE_TYPE.test(tokenizer_class ?? "");
}

export function contentOf(given: TokenizerConfig["pad_token"]): string | undefined {
  return typeof given === "string" ? given : given?.content;
}

/** The id of a token by its text. */
function idOf(
  content: string,
  { model }: Tokenizer,
  added: Tokenizer["added_tokens"],
): number | undefined {
  const found = added.find((one) => one.content === content)?.id;
  if (found !== undefined) return found;
  const vocab = model["vocab"];
  if (!Array.isArray(vocab))
    return Object.hasOwn(vocab as object, content)
      ? (vocab as Record<string, number>)[content]
      : undefined;
  const index = vocab.findIndex((piece) => (piece as [string, number])[0] === content);
  return index < 0 ? undefined : index;
}

function normalizer(given: unknown, config: TokenizerConfig): unknown {
  const step = given as { type?: string } | null;
  if (step?.type !== "BertNormalizer") return given;
  const { tokenizer_class: name, do_lower_case: lower, strip_accents: accents } = config;
  const ideographs = config.tokenize_chinese_chars;
  const like = (pattern: RegExp) => pattern.test(name ?? "");
  if (like(LIKE_BERT))
    return {
      ...step,
      lowercase: lower ?? true,
      strip_accents: accents ?? null,
      handle_chinese_chars: ideographs ?? true,
    };
  if (like(LIKE_MPNET))
    return { ...step, lowercase: lower ?? true, strip_accents: accents ?? null };
  // Without a class, only the written settings count. All other classes leave the step as it is.
  if (name) return given;
  return {
    ...step,
    ...(typeof lower === "boolean" && { lowercase: lower }),
    ...(typeof accents === "boolean" && { strip_accents: accents }),
    ...(typeof ideographs === "boolean" && { handle_chinese_chars: ideographs }),
  };
}

function preTokenizer(given: unknown, config: TokenizerConfig): unknown {
  const step = given as { type?: string } | null;
  if (step?.type !== "ByteLevel") return given;
  if (!config.tokenizer_class && typeof config.add_prefix_space !== "boolean") return given;
  return { ...step, add_prefix_space: config.add_prefix_space ?? false };
}

/** The template of a class that {@link ADDS_ENDS}. */
function ends(config: TokenizerConfig) {
  const { add_bos_token: begins = true, add_eos_token: ends = false } = config;
  const defaults = defaultTokens(config.tokenizer_class ?? "");
  const special = (name: "bos_token" | "eos_token", type_id: number) => ({
    SpecialToken: { id: contentOf(config[name] ?? defaults[name]), type_id },
  });
  const [single, second] = ["A", "B"].map((id, type_id) => [
    ...(begins ? [special("bos_token", type_id)] : []),
    { Sequence: { id, type_id } },
    ...(ends ? [special("eos_token", type_id)] : []),
  ]);
  return { type: "TemplateProcessing", single, pair: [...(single ?? []), ...(second ?? [])] };
}

/**
 * The added tokens, merged with those of the configuration. A token with the same text gets the configuration's flags.
 * A new token is appended. A special token without an id is left out: no text can contain it.
 */
function withAddedTokens(json: Tokenizer, config: TokenizerConfig): Tokenizer["added_tokens"] {
  const added = [...json.added_tokens];
  const special = specialTokens(config);
  const contents = new Set(special.map(contentOf));
  const declared = Object.entries(config.added_tokens_decoder ?? {}).toSorted(
    ([a], [b]) => Number(a) - Number(b),
  );
  for (const [id, given] of declared) {
    const { content } = given;
    const isSpecial = given["special"] === true || contents.has(content);
    const at = added.findIndex((one) => one.content === content);
    const old = added[at];
    const flags = { normalized: !isSpecial, ...given };
    // A token that is searched before the normalizer runs stays so.
    if (old?.["special"] === true) flags.normalized = old["normalized"] === true;
    else if (old) flags.normalized &&= old["normalized"] === true;
    const token = { ...flags, id: idOf(content, json, added) ?? Number(id), special: isSpecial };
    if (old) added[at] = token;
    else added.push(token);
  }
  for (const given of special) {
    const content = contentOf(given) ?? "";
    const id = idOf(content, json, added);
    if (id === undefined || added.some((one) => one.content === content)) continue;
    const flags = typeof given === "string" ? {} : given;
    added.push({ normalized: false, ...flags, id, content, special: true });
  }
  return added;
}

/** The special tokens that the configuration has, or else those of its class. */
function specialTokens(config: TokenizerConfig) {
  const defaults = defaultTokens(config.tokenizer_class ?? "");
  return [
    ...SPECIAL_TOKENS.map((name) => config[name] ?? defaults[name]),
    ...(config.additional_special_tokens ?? []),
  ].filter((token) => token !== null && token !== undefined);
}

type Defaults = Partial<Record<(typeof SPECIAL_TOKENS)[number], TokenizerConfig["mask_token"]>>;

/** The special tokens of a class, for configurations without any. */
function defaultTokens(name: string): Defaults {
  return DEFAULTS.find(([pattern]) => pattern.test(name))?.[1] ?? {};
}

const MASK = { content: "<mask>", lstrip: true };
const BERT = {
  unk_token: "[UNK]",
  sep_token: "[SEP]",
  pad_token: "[PAD]",
  cls_token: "[CLS]",
  mask_token: "[MASK]",
};
const ROBERTA = {
  bos_token: "<s>",
  eos_token: "</s>",
  sep_token: "</s>",
  cls_token: "<s>",
  unk_token: "<unk>",
  pad_token: "<pad>",
  mask_token: MASK,
};
const CLIP_END = "<|endoftext|>";
const CLIP_ENDS = { eos_token: CLIP_END, unk_token: CLIP_END, pad_token: CLIP_END };
const ENDS = { bos_token: "[CLS]", eos_token: "[SEP]" };

const DEFAULTS: readonly (readonly [pattern: RegExp, tokens: Defaults])[] = [
  [/^Funnel/, { ...ROBERTA, cls_token: "<cls>", sep_token: "<sep>", mask_token: "<mask>" }],
  [LIKE_BERT, BERT],
  [/^Deberta/, { ...BERT, ...ENDS }],
  [/^Albert/, { ...BERT, ...ENDS, unk_token: "<unk>", pad_token: "<pad>" }],
  [LIKE_MPNET, { ...ROBERTA, unk_token: "[UNK]" }],
  [/^(Bart|Camembert|LED|Longformer|Roberta|XLMRoberta)T/, ROBERTA],
  [/^M?T5/, { eos_token: "</s>", unk_token: "<unk>", pad_token: "<pad>" }],
  [/^Llama/, { bos_token: "<s>", eos_token: "</s>", unk_token: "<unk>" }],
  [/^Gemma/, { bos_token: "<bos>", eos_token: "<eos>", unk_token: "<unk>", pad_token: "<pad>" }],
  [/^CLIP/, { bos_token: "<|startoftext|>", ...CLIP_ENDS }],
  [/^(GPT2|Qwen2)/, { eos_token: "<|endoftext|>", unk_token: "<|endoftext|>" }],
];
