/** A normalizer of the library, or a sequence of them. */
export interface Normalizer {
  config: {
    type?: string;
    precompiled_charsmap?: unknown;
    clean_text?: boolean;
    handle_chinese_chars?: boolean;
    lowercase?: boolean;
    strip_accents?: boolean | null;
    content?: string;
    prepend?: string;
  };
  /** What a Replace searches for. */
  pattern?: RegExp | null;
  normalize(text: string): string;
  normalizers?: (Normalizer | null)[];
}

/** The place of a word, which some pre-tokenizers need. */
export interface Place {
  /** 0 for a word with which the text begins. */
  section_index: 0 | 1;
}

/** A pre-tokenizer of the library, or a sequence of them. */
export interface PreTokenizer {
  config?: {
    type?: string;
    use_regex?: boolean;
    add_prefix_space?: boolean;
    behavior?: string;
    invert?: boolean;
    content?: string;
  };
  /** What a Split or a Replace searches for. */
  pattern?: RegExp | null;
  /** The settings of a Metaspace, which has no `config`. */
  prepend_scheme?: "always" | "first" | "never";
  replacement?: string;
  str_rep?: string;
  pre_tokenize_text(text: string, place: Place): string[];
  tokenizers?: (PreTokenizer | null)[];
}
