import { join } from "node:path";
import * as z from "zod";
import {
  ADDS_ENDS,
  configured,
  contentOf,
  SPECIAL_TOKENS,
  tokenizerConfigSchema,
  type TokenizerConfig,
} from "../../functions/tasks/text/configured.ts";
import { checkSettings, isFile, only, readJson, rules, type Rule } from "./hugging-face-files.ts";

/** `tokenizer.json`, as far as it is looked at here. */
const tokenizerSchema = z.looseObject({
  normalizer: z.unknown(),
  pre_tokenizer: z.unknown(),
  added_tokens: z.array(z.looseObject({ id: z.number(), content: z.string() })).nullish(),
  model: z.looseObject({
    type: z.enum(["WordPiece", "BPE", "Unigram"]),
    vocab: z.union([z.record(z.string(), z.number()), z.array(z.tuple([z.string(), z.number()]))]),
  }),
});

const configSchema = tokenizerConfigSchema.extend({
  model_max_length: z.number().nullish(),
  max_len: z.number().nullish(),
  extra_special_tokens: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]).nullish(),
});
const idsSchema = z.record(z.string(), z.number());

const TOKENIZER_RULES: Record<string, Rule> = {
  // AutoTokenizer takes the side from truncation, and the side and the token of padding, but has its own length and
  // strategy.
  ...rules("used", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer"),
  ...rules("used", "post_processor", "model"),
  ...rules("harmless", "version", "decoder"),
};

const MODEL_RULES: Record<string, Record<string, Rule>> = {
  WordPiece: rules(
    "used",
    "type",
    "vocab",
    "unk_token",
    "continuing_subword_prefix",
    "max_input_chars_per_word",
  ),
  BPE: {
    ...rules("used", "type", "vocab", "merges", "unk_token", "end_of_word_suffix", "fuse_unk"),
    ...rules("used", "byte_fallback", "ignore_merges"),
    continuing_subword_prefix: only(""),
    dropout: only(0),
  },
  Unigram: rules("used", "type", "vocab", "unk_id", "byte_fallback"),
};

const CONFIG_RULES: Record<string, Rule> = {
  ...rules("used", ...Object.keys(configSchema.shape)),
  ...rules("harmless", "max_length", "stride", "truncation_strategy", "truncation"),
  ...rules("harmless", "padding", "pad_to_multiple_of", "trim_offsets", "errors", "chat_template"),
  ...rules("harmless", "clean_up_tokenization_spaces", "name_or_path", "_name_or_path", "use_fast"),
  ...rules("harmless", "full_tokenizer_file", "special_tokens_map_file"),
  ...rules(
    "harmless",
    "vocab_file",
    "merges_file",
    "spm_file",
    "sp_model_kwargs",
    "processor_class",
  ),
  ...rules("harmless", "do_basic_tokenize", "never_split", "wordpieces_prefix", "vocab_type"),
  ...rules("harmless", "split_by_punct", "remove_space", "keep_accents", "extra_ids", "legacy"),
  ...rules("harmless", "spaces_between_special_tokens"),
  ...rules("harmless", "use_default_system_prompt", "transformers_version", "verbose", "backend"),
  ...rules(
    "harmless",
    "is_local",
    "local_files_only",
    "mask_token_sent",
    "model_specific_special_tokens",
  ),
  ...rules(only(false), "split_special_tokens", "from_slow"),
  // It is another file than the one beside it.
  tokenizer_file: only(),
  clean_text: only(true),
  auto_map: () =>
    "it names a tokenizer of its own code. Save one of transformers' own tokenizers beside the model.",
};

/** Classes whose fast form in transformers is `tokenizer.json` with the settings that `configured` knows. */
const CLASSES = new Set(
  "Albert Bart Bert Camembert CLIP ConvBert Deberta DebertaV2 DistilBert Electra Funnel Gemma GPT2 LayoutLM LED Llama Longformer Lxmert MPNet MT5 MobileBert PreTrained Qwen2 Roberta Siglip SqueezeBert T5 XLMRoberta"
    .split(" ")
    .map((name) => `${name}Tokenizer`)
    .concat("TokenizersBackend"),
);

/** The classes that AutoTokenizer takes when no file names one, by `model_type` of `config.json`. */
const CLASS_OF: Record<string, string> = {
  "data2vec-text": "Roberta",
  "deberta-v2": "DebertaV2",
  ernie: "Bert",
  gpt2: "GPT2",
  ibert: "Roberta",
  longformer: "Longformer",
  "megatron-bert": "Bert",
  modernbert: "PreTrained",
  mpnet: "MPNet",
  nezha: "Bert",
  nystromformer: "Albert",
  qwen2: "Qwen2",
  qwen3: "Qwen2",
  "roberta-prelayernorm": "Roberta",
  t5: "T5",
  "xlm-roberta": "XLMRoberta",
  "xlm-roberta-xl": "XLMRoberta",
  xmod: "XLMRoberta",
  yoso: "Albert",
  albert: "Albert",
  bart: "Bart",
  bert: "Bert",
  camembert: "Camembert",
  clip: "CLIP",
  clip_text_model: "CLIP",
  convbert: "ConvBert",
  deberta: "Deberta",
  distilbert: "DistilBert",
  electra: "Electra",
  funnel: "Funnel",
  gemma: "Gemma",
  gemma2: "Gemma",
  gemma3_text: "Gemma",
  llama: "Llama",
  mistral: "Llama",
  mobilebert: "MobileBert",
  roberta: "Roberta",
  siglip: "Siglip",
  siglip_text_model: "Siglip",
  squeezebert: "SqueezeBert",
};

/** What the other files of an export say about its tokenizer. */
interface About {
  tokenizer_class?: string | null | undefined;
  model_type?: string | undefined;
}

/**
 * The tokenizer of an export folder: the path of `tokenizer.json`, the settings that override it, as AutoTokenizer
 * collects them from all files, and the most tokens that they allow.
 */
export async function readTokenizer(folder: string, about: About) {
  const path = join(folder, "tokenizer.json");
  if (!(await isFile(path)))
    throw new Error(
      `${folder} has no tokenizer.json. Save the fast tokenizer beside the model: AutoTokenizer.from_pretrained(…).save_pretrained("${folder}")`,
    );
  const json = await readJson(path, tokenizerSchema);
  checkSettings(path, json, TOKENIZER_RULES);
  checkSettings(`${path}, model`, json?.model, MODEL_RULES[json?.model.type ?? ""] ?? {});

  const configPath = join(folder, "tokenizer_config.json");
  const own = (await readJson(configPath, configSchema)) ?? {};
  const name = own.tokenizer_class ?? classOf(about) ?? "";
  checkSettings(configPath, own, {
    ...CONFIG_RULES,
    ...(!ADDS_ENDS.test(name) && rules(only(false), "add_bos_token", "add_eos_token")),
  });
  const config: TokenizerConfig = { ...own, ...(await olderFiles(folder, own)) };
  config.additional_special_tokens = [
    ...(config.additional_special_tokens ?? []),
    ...Object.values(own.extra_special_tokens ?? {}).filter((one) => typeof one === "string"),
  ];
  const tokenizer_class = config.tokenizer_class ?? classOf(about);
  checkClass(tokenizer_class, configPath);
  const ids = tokenIds(json);
  const whole = { ...config, ...(tokenizer_class && { tokenizer_class }) };
  checkTokens(whole, ids, configPath);
  if (json) checkNormalized(json, whole, configPath);
  await checkAddedTokens(join(folder, "added_tokens.json"), own, ids);
  return {
    path,
    config: whole,
    padsLeft: json ? configured(withTokens(json), whole).padsLeft : false,
    maxLength: own.model_max_length ?? own.max_len ?? undefined,
  };
}

function classOf({ tokenizer_class, model_type = "" }: About): string | undefined {
  if (tokenizer_class) return tokenizer_class;
  const name = Object.hasOwn(CLASS_OF, model_type) ? CLASS_OF[model_type] : undefined;
  return name && `${name}Tokenizer`;
}

function checkClass(name: string | undefined, path: string): void {
  if (!name || CLASSES.has(name.replace(/Fast$/, ""))) return;
  throw new Error(
    `${path}: tokenizer_class ${JSON.stringify(name)} is not supported: add does not know what it does besides tokenizer.json. It knows ${[...CLASSES].join(", ")}. When tokenizer.json says all, PreTrainedTokenizerFast is its class.`,
  );
}

/** `special_tokens_map.json` counts only if the configuration has no added tokens. */
async function olderFiles(folder: string, own: TokenizerConfig): Promise<Partial<TokenizerConfig>> {
  const path = join(folder, "special_tokens_map.json");
  const map = await readJson(path, tokenizerConfigSchema);
  const known = rules("used", ...SPECIAL_TOKENS, "additional_special_tokens");
  checkSettings(path, map, { ...known, ...rules("harmless", "extra_special_tokens") });
  return own.added_tokens_decoder ? {} : (map ?? {});
}

type Ids = Map<string, number>;

function tokenIds(json: z.infer<typeof tokenizerSchema> | undefined): Ids {
  const vocab = json?.model.vocab ?? [];
  const entries = Array.isArray(vocab)
    ? vocab.map(([piece], index) => [piece, index] as const)
    : Object.entries(vocab);
  const added = json?.added_tokens ?? [];
  return new Map([...entries, ...added.map(({ content, id }) => [content, id] as const)]);
}

/** Every special token in the files must be a token of the model. The graph has no vectors for others. */
function checkTokens(config: TokenizerConfig, ids: Ids, path: string): void {
  const declared = Object.values(config.added_tokens_decoder ?? {}).map(({ content }) => content);
  const known = new Set([...ids.keys(), ...declared]);
  const named = [
    ...SPECIAL_TOKENS.map((name) => [name, config[name]] as const),
    ...(config.additional_special_tokens ?? []).map(
      (token) => ["additional_special_tokens", token] as const,
    ),
  ];
  for (const [name, token] of named) {
    const content = contentOf(token);
    if (content !== undefined && !known.has(content))
      throw new Error(
        `${path}: ${name} ${JSON.stringify(content)} is no token of tokenizer.json, so the model was not exported with it. Take it out of the file, or save model and tokenizer again.`,
      );
  }
  for (const [id, { content }] of Object.entries(config.added_tokens_decoder ?? {}))
    if (ids.has(content) && ids.get(content) !== Number(id))
      throw new Error(
        `${path}: added_tokens_decoder gives ${JSON.stringify(content)} the id ${id}, tokenizer.json ${ids.get(content)}. Save the tokenizer again.`,
      );
}

/** transformers looks for such tokens as the normalizer of tokenizer.json leaves them, not as its own does. */
function checkNormalized(
  json: z.infer<typeof tokenizerSchema>,
  config: TokenizerConfig,
  path: string,
): void {
  const { normalizer, added_tokens } = configured(withTokens(json), config);
  const token = added_tokens.find(({ normalized }) => normalized === true);
  if (token && JSON.stringify(normalizer) !== JSON.stringify(json.normalizer))
    throw new Error(
      `${path}: do_lower_case, strip_accents or tokenize_chinese_chars is another than in tokenizer.json, whose added token ${JSON.stringify(token.content)} is normalized; the two together are not supported. Save the tokenizer again: AutoTokenizer.from_pretrained(…).save_pretrained(…)`,
    );
}

function withTokens(json: z.infer<typeof tokenizerSchema>) {
  return { ...json, added_tokens: json.added_tokens ?? [] };
}

async function checkAddedTokens(path: string, own: TokenizerConfig, ids: Ids): Promise<void> {
  const added = await readJson(path, idsSchema);
  if (own.added_tokens_decoder) return;
  for (const [content, id] of Object.entries(added ?? {}))
    if (ids.get(content) !== id)
      throw new Error(
        `${path}: ${JSON.stringify(content)} has the id ${id}, in tokenizer.json ${ids.get(content) ?? "none"}. Save the tokenizer again.`,
      );
}
