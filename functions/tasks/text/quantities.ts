import type { Quantity, Seen } from "../define.ts";

/** How long the texts are. */
export const TEXT_LENGTH: Quantity = {
  name: "text_length",
  of: "input",
  kind: "number",
  each({ inputs = [] }, take) {
    for (const input of inputs) {
      if (typeof input === "string") take(input.length);
      else {
        const { text = "", text_pair: pair = "" } = input as { text?: string; text_pair?: string };
        take(text.length + pair.length);
      }
    }
  },
};

/** How many tokens the graph gets for each text, without padding where a mask tells it. */
export const TOKENS: Quantity = {
  name: "tokens",
  of: "input",
  kind: "number",
  each({ runs }: Seen, take) {
    for (const { feeds, rows } of runs) {
      const mask = feeds["attention_mask"]?.data as BigInt64Array | undefined;
      const width = (feeds["input_ids"]?.data.length ?? 0) / rows;
      for (let row = 0; row < rows; row++) {
        let tokens = mask ? 0 : width;
        if (mask)
          for (let at = row * width; at < (row + 1) * width; at++) if (mask[at]) tokens += 1;
        take(tokens);
      }
    }
  },
};
