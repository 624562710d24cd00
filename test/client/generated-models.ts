// Made by `nearcast types`. Make it again after a release.
import type { Classification, ImageInput } from "../../client/src/index.ts";

export interface Models {
  /**
   * Finds unusual readings of a pump station: six measurements, a Gaussian mixture. The readings that it
   * was trained on are made up by a script; it knows no real pump.
   * Task: tabular-anomaly-detection
   */
  anomaly: {
    input: {
      /**
       * speed of the pump
       * From 0 to 6000 rpm.
       */
      speed: number;
      /**
       * flow behind the pump
       * From 0 to 1000 l/min.
       */
      flow: number;
      /**
       * pressure behind the pump
       * From 0 to 50 bar.
       */
      pressure: number;
      /**
       * electrical power of the motor
       * From 0 to 100 kW.
       */
      power: number;
      /**
       * temperature of the motor's winding
       * From -40 to 200 °C.
       */
      temperature: number;
      /**
       * root mean square of the bearing's vibration velocity
       * From 0 to 100 mm/s.
       */
      vibration: number;
    };
    output: {
      anomaly: boolean;
      /** Unusual below 0. */
      score: number;
    };
    parameters: Record<string, never>;
  };
  /**
   * Predicts how far diabetes has progressed a year on, as the score of 25 to 346 of the 442 patients it
   * knows, from ten measurements. Ridge regression: it explains about half of the variance. Made to show
   * the task, not to advise anyone.
   * Task: tabular-regression
   */
  diabetes: {
    input: {
      /**
       * age
       * From 0 to 120 years.
       */
      age: number;
      /**
       * sex, 1 or 2 as the data codes it
       * From 1 to 2.
       */
      sex: number;
      /**
       * body mass index
       * From 10 to 80 kg/m².
       */
      bmi: number;
      /**
       * average blood pressure
       * From 30 to 200.
       */
      bp: number;
      /**
       * tc, total serum cholesterol
       * From 50 to 500.
       */
      s1: number;
      /**
       * ldl, low-density lipoproteins
       * From 10 to 400.
       */
      s2: number;
      /**
       * hdl, high-density lipoproteins
       * From 5 to 200.
       */
      s3: number;
      /**
       * tch, total cholesterol divided by hdl
       * From 1 to 20.
       */
      s4: number;
      /**
       * ltg, possibly the logarithm of serum triglycerides
       * From 1 to 10.
       */
      s5: number;
      /**
       * glu, blood sugar
       * From 30 to 400.
       */
      s6: number;
    };
    output: {
      value: number;
    };
    parameters: Record<string, never>;
  };
  /**
   * Reads one handwritten digit from an 8x8 grey image, bright ink on a black ground. A neural network
   * with two hidden layers.
   * Task: image-classification
   */
  digits: {
    input: ImageInput;
    output: Classification<"0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9">;
    parameters: {
      /**
       * How many labels the answer has. All of them when absent.
       * Above 0.
       */
      top_k?: number;
    };
  };
  /** Task: text-classification */
  "distilbert-sst2": {
    input: string;
    output: Classification<"NEGATIVE" | "POSITIVE">;
    parameters: {
      /**
       * How many labels the answer has. All of them when absent.
       * Above 0.
       */
      top_k?: number;
    };
  };
  /**
   * Finds persons, cities, products, quantities, amounts of money and dates in English order messages to
   * a shop for gifts. It was trained on messages that a script wrote, and real ones are more varied. It
   * reads 256 tokens; with the parameter stride all of a longer message. Scores are high also where it
   * is wrong.
   * Task: token-classification
   */
  entities: {
    input: string;
    output: Array<{
      /** The label of joined tokens. */
      entity_group?: "O" | "PERSON" | "CITY" | "PRODUCT" | "QUANTITY" | "AMOUNT" | "DATE";
      /** The label of a token, with `aggregation_strategy` none. */
      entity?:
        | "O"
        | "B-PERSON"
        | "I-PERSON"
        | "B-CITY"
        | "I-CITY"
        | "B-PRODUCT"
        | "I-PRODUCT"
        | "B-QUANTITY"
        | "I-QUANTITY"
        | "B-AMOUNT"
        | "I-AMOUNT"
        | "B-DATE"
        | "I-DATE";
      score: number;
      /** The number of the token, with `none`. */
      index?: number;
      word: string;
      /** The first character, from 0. */
      start: number;
      /** One after the last character. */
      end: number;
    }>;
    parameters: {
      /**
       * How tokens become entities. `none` answers with tokens; `simple` joins neighbours of one label;
       * `first`, `average` and `max` first give all tokens of a word one label: that of its first token, of
       * their mean, or of the surest token.
       * "simple" when absent.
       */
      aggregation_strategy?: "none" | "simple" | "first" | "average" | "max";
      /** Labels to leave out, without `B-` and `I-` where tokens are joined. */
      ignore_labels?: readonly string[];
      /**
       * Reads all of a long text, in parts that share this many tokens. Without it, the text is cut off at
       * the model's most tokens.
       * At least 0.
       */
      stride?: number;
    };
  };
  /**
   * Tells three species of iris apart by the length and width of sepals and petals. A random forest of
   * 100 trees.
   * Task: tabular-classification
   */
  iris: {
    input: {
      /** From 0 to 20 cm. */
      sepal_length: number;
      /** From 0 to 20 cm. */
      sepal_width: number;
      /** From 0 to 20 cm. */
      petal_length: number;
      /** From 0 to 20 cm. */
      petal_width: number;
    };
    output: Classification<"setosa" | "versicolor" | "virginica">;
    parameters: {
      /**
       * How many labels the answer has. All of them when absent.
       * Above 0.
       */
      top_k?: number;
    };
  };
  /**
   * Tells three species of iris apart by the length and width of sepals and petals. A random forest of
   * 100 trees.
   * Task: tabular-classification
   */
  many: {
    input: {
      /** From 0 to 20 cm. */
      sepal_length: number;
      /** From 0 to 20 cm. */
      sepal_width: number;
      /** From 0 to 20 cm. */
      petal_length: number;
      /** From 0 to 20 cm. */
      petal_width: number;
    };
    output: Classification<
      | "setosa of a long name of a long name of a long name "
      | "versicolor of a long name of a long name of a long name "
      | "virginica of a long name of a long name of a long name "
    >;
    parameters: {
      /**
       * How many labels the answer has. All of them when absent.
       * Above 0.
       */
      top_k?: number;
    };
  };
  /** Task: fill-mask */
  "mask-bert": {
    input: string;
    output: Array<
      | {
          score: number;
          /** The token's number in the vocabulary. */
          token: number;
          token_str: string;
          /** The text with the token, as the model reads it. */
          sequence: string;
        }
      | Array<{
          score: number;
          /** The token's number in the vocabulary. */
          token: number;
          token_str: string;
          /** The text with the token, as the model reads it. */
          sequence: string;
        }>
    >;
    parameters: {
      /**
       * How many tokens the answer has for a mask: in all at most five for each input that a batch may have.
       * Above 0.
       * 5 when absent.
       */
      top_k?: number;
      /** The only tokens to choose from. Of a text that is no token, its first token is taken. */
      targets?: readonly string[];
    };
  };
  /** Task: token-classification */
  "ner-bert": {
    input: string;
    output: Array<{
      /** The label of joined tokens. */
      entity_group?: "O" | "PER" | "LOC";
      /** The label of a token, with `aggregation_strategy` none. */
      entity?: "O" | "B-PER" | "I-PER" | "B-LOC" | "I-LOC";
      score: number;
      /** The number of the token, with `none`. */
      index?: number;
      word: string;
      /** The first character, from 0. */
      start: number;
      /** One after the last character. */
      end: number;
    }>;
    parameters: {
      /**
       * How tokens become entities. `none` answers with tokens; `simple` joins neighbours of one label;
       * `first`, `average` and `max` first give all tokens of a word one label: that of its first token, of
       * their mean, or of the surest token.
       * "simple" when absent.
       */
      aggregation_strategy?: "none" | "simple" | "first" | "average" | "max";
      /** Labels to leave out, without `B-` and `I-` where tokens are joined. */
      ignore_labels?: readonly string[];
      /**
       * Reads all of a long text, in parts that share this many tokens. Without it, the text is cut off at
       * the model's most tokens.
       * At least 0.
       */
      stride?: number;
    };
  };
  /** Task: zero-shot-classification */
  "nli-bert": {
    input:
      | string
      | {
          /** A text. */
          text: string;
          candidate_labels: readonly string[];
        };
    output: Array<{
      label: string;
      score: number;
    }>;
    parameters: {
      /** The labels to choose from. The graph runs once for each. Absent where each input has its own. */
      candidate_labels?: readonly string[];
      /**
       * The sentence that is checked against the text, with {} for the label.
       * "This example is {}." when absent.
       */
      hypothesis_template?: string;
      /**
       * Whether several labels may be right. Their scores then do not add up to 1.
       * false when absent.
       */
      multi_label?: boolean;
    };
  };
  /**
   * Finds handwritten digits in a photograph of a form or a board, also those that touch: which digit,
   * and its box. A digit should be a ninth to a quarter of the picture's longer side: leave paper around
   * it. Print is read wrongly. It was trained on pictures that a script composed.
   * Task: object-detection
   */
  objects: {
    input: ImageInput;
    output: Array<{
      label: "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9";
      score: number;
      box: {
        /** In pixels of the picture, from its upper left corner. */
        xmin: number;
        /** In pixels of the picture, from its upper left corner. */
        ymin: number;
        /** In pixels of the picture, from its upper left corner. */
        xmax: number;
        /** In pixels of the picture, from its upper left corner. */
        ymax: number;
      };
    }>;
    parameters: {
      /**
       * A box needs a higher score than this. The model's own when absent.
       * From 0 to 1.
       */
      threshold?: number;
    };
  };
  /**
   * Ends *\/ export const evil: 1; /* the comment.
   * \@deprecated {\@link evil} txet
   * Task: tabular-classification
   */
  odd: {
    input: {
      /** In *\/ cm. */
      'say "length"': number;
      class: "`a`" | 'b"' | "c\\" | "*/" | "\u202e" | "d\ne";
      /**
       * May be missing: null or absent.
       * At least -3.
       */
      "größe im bild"?: number | null;
      /** `${evil}` */
      __proto__: boolean;
    };
    output: Classification<"don't" | '"; evil' | "\u2028\u200b日本">;
    parameters: {
      /**
       * How many labels the answer has. All of them when absent.
       * Above 0.
       */
      top_k?: number;
    };
  };
  /** Task: question-answering */
  "qa-bert": {
    input: {
      question: string;
      /** The text with the answer. */
      context: string;
    };
    output: Array<{
      answer: string;
      score: number;
      /** The first character, from 0. */
      start: number;
      /** One after the last character. */
      end: number;
    }>;
    parameters: {
      /**
       * The most answers, best first.
       * At most 100.
       * 1 when absent.
       */
      top_k?: number;
      /**
       * The most tokens of an answer.
       * Above 0.
       * 15 when absent.
       */
      max_answer_len?: number;
      /**
       * The most tokens of a part of a long context, with the question: at most the model's. When absent,
       * the model's, up to 384.
       * Above 0.
       */
      max_seq_len?: number;
      /**
       * How many tokens neighbouring parts of a long context share. When absent, half of `max_seq_len`, up
       * to 128.
       * At least 0.
       */
      doc_stride?: number;
      /**
       * Whether the answer may be empty: the text has none.
       * false when absent.
       */
      handle_impossible_answer?: boolean;
      /**
       * Whether answers are whole words. Better false where words have no spaces.
       * true when absent.
       */
      align_to_words?: boolean;
    };
  };
  /**
   * Ranks the products of a shop for gifts by how well their descriptions answer a query, also one with
   * misspelt, missing and reordered words. A small cross-encoder over letters. It compares spellings; it
   * does not know that a mug is a cup.
   * Task: text-ranking
   */
  rank: {
    input: {
      query: string;
      texts: readonly string[];
    };
    output: Array<{
      /** The text's place in the request, from 0. */
      index: number;
      score: number;
      /** With `return_text`. */
      text?: string;
    }>;
    parameters: {
      /**
       * How many texts the answer has. All of them when absent.
       * Above 0.
       */
      top_k?: number;
      /**
       * Whether the answer has the texts too.
       * false when absent.
       */
      return_text?: boolean;
      /**
       * Whether scores are the graph's own numbers, without an activation.
       * false when absent.
       */
      raw_scores?: boolean;
    };
  };
  /** Task: text-ranking */
  "rank-bert": {
    input: {
      query: string;
      texts: readonly string[];
    };
    output: Array<{
      /** The text's place in the request, from 0. */
      index: number;
      score: number;
      /** With `return_text`. */
      text?: string;
    }>;
    parameters: {
      /**
       * How many texts the answer has. All of them when absent.
       * Above 0.
       */
      top_k?: number;
      /**
       * Whether the answer has the texts too.
       * false when absent.
       */
      return_text?: boolean;
      /**
       * Whether scores are the graph's own numbers, without an activation.
       * false when absent.
       */
      raw_scores?: boolean;
    };
  };
  /** Task: text-regression */
  "regression-one": {
    input: string;
    output: {
      value: number;
    };
    parameters: Record<string, never>;
  };
  /** Task: text-regression */
  "regression-two": {
    input: string;
    output: {
      values: {
        cohesion: number;
        syntax: number;
      };
    };
    parameters: Record<string, never>;
  };
  /**
   * Recommends what goes with the products in a basket, from 500 products of a British shop for gifts.
   * EASE over 16,000 invoices.
   * Task: recommendation
   */
  retail: {
    input: readonly string[];
    output: Array<{
      id: string;
      name: string;
      score: number;
    }>;
    parameters: {
      /**
       * The most items in an answer.
       * Above 0.
       * 10 when absent.
       */
      top_k?: number;
    };
  };
  /**
   * Vectors of short English texts such as product names, for search that forgives misspelt, missing and
   * reordered words. It knows parts of words, not meanings.
   * Task: feature-extraction
   */
  search: {
    input: string;
    output: number[];
    parameters: {
      /** The name of the model's prompt that goes before each text. */
      prompt_name?: string;
      /**
       * How many numbers of a vector, for a model with `text.matryoshka`. Vectors of length 1 have it again.
       * Above 0.
       */
      dimensions?: number;
      /**
       * The kind of numbers, as `quantize_embeddings` of sentence-transformers makes them. `int8` and
       * `uint8` need `text.ranges`; `binary` and `ubinary` pack eight bits into a number.
       */
      precision?: "float32" | "int8" | "uint8" | "binary" | "ubinary";
    };
  };
  /**
   * Tells whether an English sentence from a review of a product, film or restaurant is positive or
   * negative. TF-IDF over words and pairs of words, and logistic regression.
   * Task: text-classification
   */
  sentiment: {
    input: string;
    output: Classification<"negative" | "positive">;
    parameters: {
      /**
       * How many labels the answer has. All of them when absent.
       * Above 0.
       */
      top_k?: number;
    };
  };
  /** Task: sentence-similarity */
  "similar-bert": {
    input: {
      source_sentence: string;
      sentences: readonly string[];
    };
    output: number[];
    parameters: {
      /** The name of the model's prompt that goes before each text. */
      prompt_name?: string;
    };
  };
  /** Task: feature-extraction */
  "splade-bert": {
    input: string;
    output: Array<{
      index: number;
      value: number;
    }>;
    parameters: {
      /** The name of the model's prompt that goes before each text. */
      prompt_name?: string;
      /**
       * How many numbers of a vector, for a model with `text.matryoshka`. Vectors of length 1 have it again.
       * Above 0.
       */
      dimensions?: number;
      /**
       * The kind of numbers, as `quantize_embeddings` of sentence-transformers makes them. `int8` and
       * `uint8` need `text.ranges`; `binary` and `ubinary` pack eight bits into a number.
       */
      precision?: "float32" | "int8" | "uint8" | "binary" | "ubinary";
    };
  };
  /**
   * Added from tensors.onnx.
   * Task: tensor
   */
  tensors: {
    input: {
      /** FP32 [-1, 2] */
      a: ReadonlyArray<ReadonlyArray<number | "NaN" | "Infinity" | "-Infinity">>;
      /** FP32 [-1, 2] */
      b: ReadonlyArray<ReadonlyArray<number | "NaN" | "Infinity" | "-Infinity">>;
      /** INT64 [-1] */
      ids: ReadonlyArray<number | bigint | string>;
      /** BYTES [-1] */
      text: readonly string[];
      /** BOOL [-1, 1] */
      flags: ReadonlyArray<readonly boolean[]>;
    };
    output: {
      /** FP32 [-1, 2] */
      sum: Array<Array<number | "NaN" | "Infinity" | "-Infinity">>;
      /** INT64 [-1] */
      same_ids: Array<number | string>;
      /** BYTES [-1] */
      same_text: string[];
      /** BOOL [-1, 1] */
      not_flags: boolean[][];
    };
    parameters: {
      /**
       * The `state` of the answer before, unchanged, to go on from there. Only the version that made it
       * takes it.
       */
      state?: string;
      /**
       * Whether the answer has a `state` for the next call.
       * false when absent.
       */
      return_state?: boolean;
    };
  };
  /**
   * Vectors of short English texts such as product names, for search that forgives misspelt, missing and
   * reordered words. It knows parts of words, not meanings.
   * Task: feature-extraction
   */
  tokens: {
    input: string;
    output: number[][];
    parameters: {
      /** The name of the model's prompt that goes before each text. */
      prompt_name?: string;
      /**
       * How many numbers of a vector, for a model with `text.matryoshka`. Vectors of length 1 have it again.
       * Above 0.
       */
      dimensions?: number;
      /**
       * The kind of numbers, as `quantize_embeddings` of sentence-transformers makes them. `int8` and
       * `uint8` need `text.ranges`; `binary` and `ubinary` pack eight bits into a number.
       */
      precision?: "float32" | "int8" | "uint8" | "binary" | "ubinary";
    };
  };
}
