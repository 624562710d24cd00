import { Tokenizer } from "@huggingface/tokenizers";
import * as z from "zod";
import { plainIssue } from "../../plain-issue.ts";
import type { Assets } from "../define.ts";
import { configured, contentOf, hasOneType, tokenizerConfigSchema } from "./configured.ts";
import type { TextOptions } from "./options.ts";
import { useOwnSteps } from "./own-steps.ts";
import { likeReference } from "./reference.ts";

export interface TextInput {
  text: string;
  pair?: string;
}

/** A text, or two, as token ids with the special tokens; all three of the same length. */
export interface Encoding {
  input_ids: number[];
  attention_mask: number[];
  token_type_ids: number[];
}

export interface CutEncoding extends Encoding {
  /** How many tokens there were before the text was cut, special tokens included. */
  uncut: number;
}

/** What pads the shorter rows of a batch. */
export type Padding = Record<keyof Encoding, number>;

/** Where the ids of a text go among special tokens. */
type Slot = { sequence: 0 | 1; type: number } | { id: number; type: number };

// Padding is on the right, where the mask hides it: on the left it would move the positions of the text.
const padding = z.object({ pad_id: z.number(), pad_type_id: z.number() });

/** The parts of `tokenizer.json` that are read here, and not by the library. */
const tokenizerSchema = z.looseObject({
  model: z.looseObject({ type: z.enum(["WordPiece", "BPE", "Unigram"]) }),
  added_tokens: z
    .array(
      z.looseObject({
        id: z.number().int(),
        content: z.string(),
        // The library finds such a token in the middle of a word too.
        single_word: z
          .literal(false, "an added token with single_word is not supported")
          .optional(),
      }),
    )
    .nullish()
    .transform((tokens) => tokens ?? []),
  normalizer: z.unknown().transform((value) => value ?? null),
  pre_tokenizer: z.unknown().transform((value) => value ?? null),
  post_processor: z.unknown().transform((value) => value ?? null),
  decoder: z.unknown().transform((value) => value ?? null),
  truncation: z.object({ direction: z.enum(["Left", "Right"]).default("Right") }).nullish(),
  padding: padding.nullish(),
});

/**
 * The tokenizer of a version: `tokenizer.json` as Hugging Face's tokenizers writes it. Cuts texts to
 * `maxLength` tokens with their special tokens, in a pair the longer text first. Throws an Error when the files
 * are missing or need what is not supported.
 */
export function openTokenizer(options: TextOptions, assets: Assets) {
  const config = options.tokenizerConfig
    ? readJson(options.tokenizerConfig, assets, tokenizerConfigSchema)
    : {};
  const json = configured(readJson(options.tokenizer, assets, tokenizerSchema), config);
  if (options.lowercase) json.normalizer = lowercased(json.normalizer);
  const tokenizer = new Tokenizer(likeReference(json), {});
  useOwnSteps(tokenizer, json.model);
  const oneType = hasOneType(config);
  const single = template(tokenizer, { paired: false, oneType });
  const pair = template(tokenizer, { paired: true, oneType });
  for (const slots of [single, pair])
    if (slots.length > options.maxLength)
      throw new Error(`text.maxLength ${options.maxLength} has no room for a text`);

  const idsOf = (text: string): number[] =>
    text === "" ? [] : tokenizer.encode(text, { add_special_tokens: false }).ids;

  const cut = (ids: number[], length: number): number[] =>
    json.truncation?.direction === "Left" ? ids.slice(ids.length - length) : ids.slice(0, length);

  return {
    padding: {
      input_ids: json.padding?.pad_id ?? padId(tokenizer, contentOf(config.pad_token)),
      attention_mask: 0,
      token_type_ids: json.padding?.pad_type_id ?? 0,
    } satisfies Padding,

    encode: (input: TextInput): CutEncoding => {
      const slots = input.pair === undefined ? single : pair;
      const texts = [idsOf(input.text), input.pair === undefined ? [] : idsOf(input.pair)] as const;
      const special = slots.filter((slot) => "id" in slot).length;
      const [first, second] = cutLengths(
        [texts[0].length, texts[1].length],
        options.maxLength - special,
      );
      const parts = [cut(texts[0], first), cut(texts[1], second)] as const;
      const ids = slots.map((slot) => ("id" in slot ? [slot.id] : parts[slot.sequence]));
      const input_ids = ids.flat();
      return {
        input_ids,
        attention_mask: input_ids.map(() => 1),
        token_type_ids: slots.flatMap(({ type }, index) => (ids[index] ?? []).map(() => type)),
        uncut: texts[0].length + texts[1].length + special,
      };
    },
  };
}

/**
 * How many tokens of each text stay, so that both together have at most `room`. If the shorter text fits into
 * half of it, only the longer one is cut; otherwise each gets half. This is tokenizers' `longest_first`.
 */
function cutLengths([first, second]: readonly [number, number], room: number): [number, number] {
  if (first + second <= room) return [first, second];
  const shorter = Math.min(first, second);
  const half = Math.floor(room / 2);
  const [fewer, more] = shorter <= room - shorter ? [shorter, room - shorter] : [half, room - half];
  return first <= second ? [fewer, more] : [more, fewer];
}

function lowercased(normalizer: unknown) {
  const normalizers = [{ type: "Lowercase" }, ...(normalizer === null ? [] : [normalizer])];
  return { type: "Sequence", normalizers };
}

/** The post-processor's template, found out from what it makes of two marks. */
function template(
  tokenizer: Tokenizer,
  { paired, oneType }: { paired: boolean; oneType: boolean },
): Slot[] {
  const [first, second] = ["\0first", "\0second"] as const;
  const { post_processor: process } = tokenizer;
  const made: { tokens: string[]; token_type_ids?: number[] } = process
    ? process([first], paired ? [second] : null, true)
    : { tokens: [first] };
  const tokens = [...made.tokens];
  // A post-processor that knows nothing of pairs leaves the second text where it was.
  if (paired && !tokens.includes(second)) tokens.push(second);
  return tokens.map((token, index) => {
    const type = oneType ? 0 : (made.token_type_ids?.[index] ?? Number(token === second));
    if (token === first) return { sequence: 0, type };
    if (token === second) return { sequence: 1, type };
    const id = tokenizer.token_to_id(token);
    if (id === undefined) throw new Error(`the special token ${token} has no id`);
    return { id, type };
  });
}

function padId(tokenizer: Tokenizer, content: string | undefined): number {
  const candidates = content === undefined ? ["[PAD]", "<pad>"] : [content];
  return (
    candidates
      .map((candidate) => tokenizer.token_to_id(candidate))
      .find((id) => id !== undefined) ?? 0
  );
}

function readJson<T>(file: string, assets: Assets, schema: z.ZodType<T>): T {
  const bytes = assets.get(file);
  if (!bytes) throw new Error(`${file} is not an asset`);
  const json: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  const { data, error } = schema.safeParse(json);
  if (!error) return data;
  const issues = error.issues.map(
    ({ path, message }) => `${path.join(".")}: ${plainIssue(message)}`,
  );
  throw new Error(`${file} is not supported: ${issues.join("; ")}`);
}
