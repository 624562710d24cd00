import { Tokenizer } from "@huggingface/tokenizers";
import * as z from "zod";
import { plainIssue } from "../../plain-issue.ts";
import type { Assets, LongTexts, Parts } from "../define.ts";
import type { TextBudget } from "../text-budget.ts";
import { configured, contentOf, hasOneType, tokenizerConfigSchema } from "./configured.ts";
import type { TextOptions } from "./options.ts";
import type { Effort } from "./effort.ts";
import { openModel } from "./models.ts";
import { likeReference } from "./reference.ts";
import { textEncoder } from "./text-encoder.ts";

export interface TextInput {
  text: string;
  pair?: string;
}

/** One or two texts as token ids, with special tokens. All three arrays have the same length. */
export interface Encoding {
  input_ids: number[];
  attention_mask: number[];
  token_type_ids: number[];
}

export interface CutEncoding extends Encoding {
  /**
   * How many tokens there were before the cut, with special tokens. Where texts may be cut, it counts only the tokens
   * that were made.
   */
  uncut: number;
}

export interface EncodeOptions {
  longTexts: LongTexts;
  /** The most characters of a normalised text. */
  mostCharacters: number;
  budget: Pick<TextBudget, "takeCharacters">;
  effort: Effort;
}

/** The values that pad the shorter rows of a batch, and whether they go before the text. */
export type Padding = Record<keyof Encoding, number> & { left: boolean };

/** A place in the template: the ids of a text, or a special token. */
export type Slot = { sequence: 0 | 1; type: number } | { id: number; type: number };

type IdOf = (token: string) => number | undefined;

const side = z.enum(["Left", "Right"]).default("Right");
const padding = z.object({ pad_id: z.number(), pad_type_id: z.number(), direction: side });

/** The parts of `tokenizer.json` that this code reads instead of the library. */
const tokenizerSchema = z.looseObject({
  model: z.looseObject({ type: z.enum(["WordPiece", "BPE", "Unigram"]) }),
  added_tokens: z
    .array(
      z.looseObject({
        id: z.number().int(),
        content: z.string(),
        single_word: z.boolean().optional(),
        lstrip: z.boolean().optional(),
        rstrip: z.boolean().optional(),
        special: z.boolean().optional(),
        normalized: z.boolean().optional(),
      }),
    )
    .nullish()
    .transform((tokens) => tokens ?? []),
  normalizer: z.unknown().transform((value) => value ?? null),
  pre_tokenizer: z.unknown().transform((value) => value ?? null),
  post_processor: z.unknown().transform((value) => value ?? null),
  decoder: z.unknown().transform((value) => value ?? null),
  truncation: z.object({ direction: side }).nullish(),
  padding: padding.nullish(),
});

/**
 * Opens the tokenizer of a version from `tokenizer.json`, as Hugging Face's tokenizers writes it. It cuts texts to
 * `maxLength` tokens, special tokens included; of a pair, the longer text first. Throws an Error when the files are
 * missing or need a feature that is not supported.
 */
export function openTokenizer(options: TextOptions, assets: Assets) {
  return tokenizerOf(options, readTokenizer(options, assets));
}

/** The same, of parts that were read already. */
export function tokenizerOf(
  { maxLength }: TextOptions,
  { library, model, added, single, pair, cutsLeft: usual, padding }: TokenizerParts,
) {
  const encodeText = textEncoder({
    normalizer: library.normalizer,
    preTokenizer: library.pre_tokenizer,
    model,
    added,
  });
  const cutsLeft = (longTexts: LongTexts) =>
    longTexts === "cut-left" || (usual && longTexts !== "cut-right");
  const cut = (ids: number[], length: number, longTexts: LongTexts): number[] =>
    cutsLeft(longTexts) ? ids.slice(ids.length - length) : ids.slice(0, length);
  const needsAll = (longTexts: LongTexts) => longTexts === "refuse" || cutsLeft(longTexts);
  const none: number[] = [];

  return {
    padding,

    /** Works in parts. Throws a RangeError whose message continues the input's name. */
    *encode(input: TextInput, encodeOptions: EncodeOptions): Parts<CutEncoding> {
      const slots = input.pair === undefined ? single : pair;
      const special = specialsOf(slots);
      const room = maxLength - special;
      // Tokens that are cut off at the end need not be made. Of a pair the longer text is cut, so one text is made in
      // full.
      const { longTexts } = encodeOptions;
      const enough = (least: number) => ({
        ...encodeOptions,
        enough: needsAll(longTexts) ? Infinity : Math.max(least, room),
      });
      const isSingle = input.pair === undefined;
      const first = yield* encodeText(input.text, enough(isSingle ? 0 : Infinity));
      const second = isSingle ? none : yield* encodeText(input.pair ?? "", enough(first.length));
      const lengths = cutLengths([first.length, second.length], room);
      const parts = [
        cut(first, lengths[0], longTexts),
        cut(second, lengths[1], longTexts),
      ] as const;
      return { ...filled(slots, parts), uncut: first.length + second.length + special };
    },

    /**
     * The ids of one text of a pair, for {@link pairOf}. Works in parts. Throws a RangeError whose message continues the
     * input's name.
     */
    *tokensOf(text: string, encodeOptions: EncodeOptions): Parts<number[]> {
      const enough = needsAll(encodeOptions.longTexts) ? Infinity : maxLength;
      return yield* encodeText(text, { ...encodeOptions, enough });
    },

    /** A pair of texts, of which only the first is cut. Undefined where the second leaves no room for it. */
    pairOf(first: number[], second: number[], longTexts: LongTexts): CutEncoding | undefined {
      const special = specialsOf(pair);
      const room = maxLength - special - second.length;
      if (room <= 0 && first.length > room) return undefined;
      const kept = first.length > room ? cut(first, room, longTexts) : first;
      return {
        ...filled(pair, [kept, second]),
        uncut: first.length + second.length + special,
      };
    },
  };
}

export type TokenizerParts = ReturnType<typeof readTokenizer>;

/** The parts of a version's tokenizer. Throws an Error when the files are missing or not supported. */
export function readTokenizer(options: TextOptions, assets: Assets) {
  const config = options.tokenizerConfig
    ? readJson(options.tokenizerConfig, assets, tokenizerConfigSchema)
    : {};
  const json = configured(readJson(options.tokenizer, assets, tokenizerSchema), config);
  if (options.lowercase) json.normalizer = lowercased(json.normalizer);
  const model = openModel(json.model);
  // The library gets no vocabulary: its model would take that memory a second time.
  const library = new Tokenizer({ ...likeReference(json), added_tokens: [], model: NO_MODEL }, {});
  const added = json.added_tokens.map(
    ({ id, content, special = false, normalized = !special, ...flags }) => ({
      id,
      content,
      lstrip: flags.lstrip ?? false,
      rstrip: flags.rstrip ?? false,
      singleWord: flags.single_word ?? false,
      normalized,
    }),
  );
  const addedIds = new Map(added.map(({ content, id }) => [content, id]));
  const idOf = (token: string) => addedIds.get(token) ?? model.idOf(token);
  const oneType = hasOneType(config);
  const process = library.post_processor;
  const single = template(process, idOf, { paired: false, oneType });
  const pair = template(process, idOf, { paired: true, oneType });
  for (const slots of [single, pair])
    if (slots.length > options.maxLength)
      throw new Error(`text.maxLength ${options.maxLength} has no room for a text`);
  return {
    json,
    config,
    library,
    model,
    added,
    idOf,
    /** The places of one text and of two. */
    single,
    pair,
    cutsLeft: json.truncation?.direction === "Left",
    padding: {
      input_ids: json.padding?.pad_id ?? padId(idOf, contentOf(config.pad_token)),
      attention_mask: 0,
      token_type_ids: json.padding?.pad_type_id ?? 0,
      left: json.padsLeft,
    } satisfies Padding,
  };
}

/** How many special tokens a template has. */
export function specialsOf(slots: readonly Slot[]): number {
  return slots.filter((slot) => "id" in slot).length;
}

/** The tokens of a template with the ids of its texts. */
export function filled(
  slots: readonly Slot[],
  parts: readonly [readonly number[], readonly number[]],
): Encoding {
  const ids = slots.map((slot) => ("id" in slot ? [slot.id] : parts[slot.sequence]));
  const input_ids = ids.flat();
  return {
    input_ids,
    attention_mask: input_ids.map(() => 1),
    token_type_ids: slots.flatMap(({ type }, index) => (ids[index] ?? []).map(() => type)),
  };
}

const NO_MODEL = { type: "WordPiece", vocab: {} };

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

/** The post-processor's template. It is found by giving the post-processor a mark in place of each text. */
function template(
  process: Tokenizer["post_processor"],
  idOf: IdOf,
  { paired, oneType }: { paired: boolean; oneType: boolean },
): Slot[] {
  const [first, second] = ["\0first", "\0second"] as const;
  const made: { tokens: string[]; token_type_ids?: number[] } = process
    ? process([first], paired ? [second] : null, true)
    : { tokens: [first] };
  const tokens = [...made.tokens];
  // A post-processor without pairs drops the second text. It goes to the end.
  if (paired && !tokens.includes(second)) tokens.push(second);
  return tokens.map((token, index) => {
    const type = oneType ? 0 : (made.token_type_ids?.[index] ?? Number(token === second));
    if (token === first) return { sequence: 0, type };
    if (token === second) return { sequence: 1, type };
    const id = idOf(token);
    if (id === undefined) throw new Error(`the special token ${token} has no id`);
    return { id, type };
  });
}

function padId(idOf: IdOf, content: string | undefined): number {
  const candidates = content === undefined ? ["[PAD]", "<pad>"] : [content];
  return candidates.map(idOf).find((id) => id !== undefined) ?? 0;
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
