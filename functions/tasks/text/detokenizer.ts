import { remembered } from "./remembered.ts";
import { createTextOfBytes } from "./text-of-bytes.ts";
import type { TokenizerParts } from "./tokenizer.ts";
import { vocabularyOf } from "./vocabulary.ts";

/** Turns tokens back into text, as Hugging Face's tokenizers does. */
export function detokenizer({ json, library, config }: TokenizerParts) {
  const tokens = vocabularyOf(json);
  const special = new Set(
    json.added_tokens.filter((token) => token.special).map(({ content }) => content),
  );
  const cleansUp = config["clean_up_tokenization_spaces"] === true;
  const textOf = decoderOf(library.decoder as Decoder | undefined);

  /** The text of token ids, as `decode` of tokenizers has it. */
  function decodeRaw(ids: readonly number[], { skipsSpecial }: { skipsSpecial: boolean }): string {
    const known = ids.flatMap((id) => tokens[id] ?? []);
    return textOf(skipsSpecial ? known.filter((token) => !special.has(token)) : known);
  }

  return {
    tokens,
    textOf,
    decodeRaw,
    /** The text of token ids, as `decode` of transformers has it. */
    decode: (ids: readonly number[], options: { skipsSpecial: boolean }): string => {
      const text = decodeRaw(ids, options);
      return cleansUp ? cleaned(text) : text;
    },
  };
}

interface Decoder {
  decode: (tokens: string[]) => string;
  config?: { type?: string };
}

/** What tokens mean as text, as the tokenizer's decoder has it. */
function decoderOf(decoder: Decoder | undefined): (tokens: readonly string[]) => string {
  if (!decoder) return (tokens) => tokens.join(" ");
  const { type } = decoder.config ?? {};
  if (type === "ByteLevel") return createTextOfBytes();
  return type === "WordPiece" ? wordPieces(decoder) : (tokens) => decoder.decode([...tokens]);
}

/**
 * Each token behind the first one has a text of its own, whatever stands beside it. The library makes it anew each time,
 * which takes ten times as long.
 */
function wordPieces(decoder: Decoder): (tokens: readonly string[]) => string {
  const first = "a";
  const next = remembered((token) => decoder.decode([first, token]).slice(first.length));
  return ([token, ...others]) =>
    token === undefined ? "" : decoder.decode([token]) + others.map(next).join("");
}

/** Takes away spaces before punctuation and English endings. */
function cleaned(text: string): string {
  return CLEANED.reduce((made, [from, to]) => made.replaceAll(from, to), text);
}

/** In the order of transformers. */
const CLEANED: readonly [string, string][] = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];
