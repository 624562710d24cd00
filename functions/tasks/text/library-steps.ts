/** A normalizer of the library, or several as one. */
export interface Normalizer {
  config: {
    type?: string;
    precompiled_charsmap?: unknown;
    clean_text?: boolean;
    handle_chinese_chars?: boolean;
    lowercase?: boolean;
    strip_accents?: boolean | null;
  };
  normalize(text: string): string;
  normalizers?: (Normalizer | null)[];
}

/** What a pre-tokenizer may need to know besides its text. */
export interface Place {
  /** Which part of the whole text it is, counted with the added tokens. */
  section_index: number;
}

/** A pre-tokenizer of the library, or several as one. */
export interface PreTokenizer {
  config?: { type?: string; use_regex?: boolean; add_prefix_space?: boolean };
  pre_tokenize_text(text: string, place: Place): string[];
  tokenizers?: (PreTokenizer | null)[];
}
