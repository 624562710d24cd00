import type { Assets, Parts } from "../../define.ts";
import { contentOf } from "../configured.ts";
import { detokenizer } from "../detokenizer.ts";
import type { TextOptions } from "../options.ts";
import { filled, readTokenizer, specialsOf, type Encoding, type Slot } from "../tokenizer.ts";
import { alignedEncoder, type AlignedOptions, type Tokens } from "./encoder.ts";
import { trimmer } from "./trim.ts";

/** A part of a text, or of a pair, that fits into the graph. */
export interface Window extends Encoding {
  /** Which text each token is of: 0 or 1, or -1 for special tokens around the texts. */
  sequences: number[];
  /** Where each token starts and ends in its text, in Unicode characters. */
  starts: number[];
  ends: number[];
  /** The tokens of one word of a text have the same number. */
  words: number[];
}

export interface WindowOptions extends AlignedOptions {
  /** The most tokens of a window, with special tokens. */
  maxLength: number;
  /**
   * How many tokens neighbouring windows share. Without it there is one window, and the rest of a long text is cut off.
   * Only the last text is split.
   */
  stride?: number | undefined;
  /** Gets the number of windows before they are made. May throw a RangeError. */
  allow?: (windows: number) => void;
}

/** A text that cannot be encoded. The message continues the input's name. */
export class TextRefusal extends RangeError {
  /** 0 for the text, 1 for the second one of a pair. */
  readonly sequence: 0 | 1;

  constructor(sequence: 0 | 1, message: string) {
    super(message);
    this.sequence = sequence;
  }
}

/**
 * Opens a tokenizer that says where in the text each token comes from. Throws an Error when the files are missing or a
 * step cannot tell places.
 */
export function openAlignedTokenizer(options: TextOptions, assets: Assets) {
  const parts = readTokenizer(options, assets);
  const { library, model, added, config, json, single, pair, cutsLeft, padding, idOf } = parts;
  const encodeText = alignedEncoder({
    normalizer: library.normalizer,
    preTokenizer: library.pre_tokenizer,
    model,
    added,
  });
  const { tokens, textOf, decodeRaw: decode } = detokenizer(parts);
  const trim = trimmer(json.post_processor, config, tokens);
  const unknown = contentOf(config.unk_token) ?? json.model["unk_token"];
  const idOfContent = (content: string | undefined) =>
    content === undefined ? undefined : idOf(content);
  const prefix = json.model["continuing_subword_prefix"];

  /** The tokens of a text that fit into `room`, in windows. */
  function windowsOf(made: Tokens, room: number, stride: number | undefined): Tokens[] {
    const { length } = made.ids;
    if (length <= room) return [made];
    const windows: Tokens[] = [];
    const step = stride === undefined ? Infinity : room - stride;
    for (let from = 0; from < length; from += step) {
      const to = Math.min(from + room, length);
      windows.push(cutsLeft ? cut(made, length - to, length - from) : cut(made, from, to));
      if (to === length) break;
    }
    return windows;
  }

  return {
    padding,
    idOf,
    /** The text of a token. */
    tokenOf: (id: number): string => tokens[id] ?? "",
    /** What tokens mean as text, as the tokenizer's decoder has it. */
    textOf,
    decode,
    /** The token that stands for the whole text, `[CLS]` or `<s>`. */
    classId: idOfContent(contentOf(config.cls_token)),
    unknownId: idOfContent(typeof unknown === "string" ? unknown : undefined),
    /** Whether tokens show that they continue a word. */
    marksContinuations:
      json.model.type === "WordPiece" || (typeof prefix === "string" && prefix !== ""),

    /** Works in parts. Throws a {@link TextRefusal}. */
    *encode(
      text: string,
      second: string | undefined,
      { maxLength, stride, allow, ...encodeOptions }: WindowOptions,
    ): Parts<Window[]> {
      const slots = second === undefined ? single : pair;
      const before =
        second === undefined ? NONE : yield* naming(0, encodeText(text, encodeOptions));
      const room = maxLength - specialsOf(slots) - before.ids.length;
      // Tokens that are cut off at the end need not be made.
      const enough = stride === undefined && !cutsLeft ? Math.max(1, room) : Infinity;
      const last = yield* naming(
        second === undefined ? 0 : 1,
        encodeText(second ?? text, { ...encodeOptions, enough }),
      );
      if (room <= (stride ?? 0) && last.ids.length > room)
        throw new TextRefusal(
          0,
          `must be shorter: ${before.ids.length} tokens leave no room for the other text`,
        );
      if (stride !== undefined)
        allow?.(1 + Math.ceil(Math.max(0, last.ids.length - room) / (room - stride)));
      return windowsOf(last, room, stride).map((window) =>
        toWindow(slots, second === undefined ? [trim(window), NONE] : [trim(before), trim(window)]),
      );
    },
  };
}

/** Says which text a RangeError is about. */
function* naming(sequence: 0 | 1, parts: Parts<Tokens>): Parts<Tokens> {
  try {
    return yield* parts;
  } catch (error) {
    throw error instanceof RangeError ? new TextRefusal(sequence, error.message) : error;
  }
}

const NONE: Tokens = { ids: [], starts: [], ends: [], words: [], added: [] };

function cut({ ids, starts, ends, words, added }: Tokens, from: number, to: number): Tokens {
  return {
    ids: ids.slice(from, to),
    starts: starts.slice(from, to),
    ends: ends.slice(from, to),
    words: words.slice(from, to),
    added: added.slice(from, to),
  };
}

function toWindow(slots: readonly Slot[], texts: readonly [Tokens, Tokens]): Window {
  const of = (member: "starts" | "ends" | "words", special: number) =>
    slots.flatMap((slot) => ("id" in slot ? [special] : texts[slot.sequence][member]));
  return {
    ...filled(slots, [texts[0].ids, texts[1].ids]),
    sequences: slots.flatMap((slot) =>
      "id" in slot ? [-1] : texts[slot.sequence].ids.map(() => slot.sequence),
    ),
    starts: of("starts", 0),
    ends: of("ends", 0),
    words: of("words", -1),
  };
}
