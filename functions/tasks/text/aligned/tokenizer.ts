import type { Assets, Parts } from "../../define.ts";
import { textOfBytes } from "./text-of-bytes.ts";
import { contentOf } from "../configured.ts";
import type { TextOptions } from "../options.ts";
import { filled, readTokenizer, specialsOf, type Encoding, type Slot } from "../tokenizer.ts";
import { alignedEncoder, type AlignedOptions, type Tokens } from "./encoder.ts";
import { trimmer } from "./trim.ts";
import { vocabularyOf } from "./vocabulary.ts";

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
  const tokens = vocabularyOf(json);
  const trim = trimmer(json.post_processor, config, tokens);
  const unknown = contentOf(config.unk_token) ?? json.model["unk_token"];
  const decodesBytes =
    (library.decoder?.config as { type?: string } | undefined)?.type === "ByteLevel";
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
    textOf: (of: readonly string[]): string => {
      if (decodesBytes) return textOfBytes(of);
      return library.decoder ? library.decoder.decode([...of]) : of.join(" ");
    },
    unknownId: typeof unknown === "string" ? idOf(unknown) : undefined,
    /** Whether tokens show that they continue a word. */
    marksContinuations:
      json.model.type === "WordPiece" || (typeof prefix === "string" && prefix !== ""),

    /** Works in parts. Throws a RangeError whose message continues the input's name. */
    *encode(
      text: string,
      second: string | undefined,
      { maxLength, stride, ...encodeOptions }: WindowOptions,
    ): Parts<Window[]> {
      const slots = second === undefined ? single : pair;
      const before = second === undefined ? NONE : yield* encodeText(text, encodeOptions);
      const room = maxLength - specialsOf(slots) - before.ids.length;
      // Tokens that are cut off at the end need not be made.
      const enough = stride === undefined && !cutsLeft ? Math.max(1, room) : Infinity;
      const last = yield* encodeText(second ?? text, { ...encodeOptions, enough });
      if (room <= (stride ?? 0) && last.ids.length > room)
        throw new RangeError(
          `must be shorter: ${before.ids.length} tokens leave no room for the other text`,
        );
      return windowsOf(last, room, stride).map((window) =>
        toWindow(slots, second === undefined ? [trim(window), NONE] : [trim(before), trim(window)]),
      );
    },
  };
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
