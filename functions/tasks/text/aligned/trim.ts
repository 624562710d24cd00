import type { TokenizerConfig } from "../configured.ts";
import type { Tokens } from "./encoder.ts";

/** Tokenizer classes that set the post-processor's spaces, with these defaults. */
const LIKE_ROBERTA = /^(Bart|LED|Longformer|Mvp|Roberta)Tokenizer(Fast)?$/;

/** The character that stands for a space among bytes. */
const SPACE = "Ġ";

interface Trimming {
  type?: string;
  processors?: unknown[];
  trim_offsets?: boolean;
  add_prefix_space?: boolean;
}

/**
 * Byte-level tokens begin with the space before a word, but their places should not. Takes spaces off the places where
 * the post-processor does so, and in the same way: its offsets begin one early where the text has a space of its own
 * behind an added one.
 */
export function trimmer(
  processor: unknown,
  config: TokenizerConfig,
  tokens: readonly string[],
): (text: Tokens) => Tokens {
  const steps = stepsOf(processor).map((step) =>
    step.type === "RobertaProcessing" && LIKE_ROBERTA.test(config.tokenizer_class ?? "")
      ? {
          trim_offsets: config["trim_offsets"] ?? true,
          add_prefix_space: config.add_prefix_space ?? false,
        }
      : { trim_offsets: true, add_prefix_space: true, ...step },
  );
  return (text) =>
    steps.reduce(
      (made, { trim_offsets: trims, add_prefix_space: prefixed }) =>
        trims === true ? trimmed(made, tokens, prefixed) : made,
      text,
    );
}

function stepsOf(processor: unknown): Trimming[] {
  const step = (processor ?? {}) as Trimming;
  if (step.processors) return step.processors.flatMap(stepsOf);
  return step.type === "ByteLevel" || step.type === "RobertaProcessing" ? [step] : [];
}

function trimmed(text: Tokens, tokens: readonly string[], prefixed: boolean): Tokens {
  const [starts, ends] = [[...text.starts], [...text.ends]];
  for (const [at, id] of text.ids.entries()) {
    const token = text.added[at] ?? tokens[id] ?? "";
    let leading = spacesAt(token, 0, 1);
    const trailing = spacesAt(token, token.length - 1, -1);
    if (leading > 0 && (at === 0 || starts[at] === 0) && prefixed) leading -= 1;
    const [start, end] = [starts[at]!, ends[at]!];
    if (leading > 0) starts[at] = Math.min(start + leading, end);
    if (trailing > 0 && end >= trailing) ends[at] = Math.max(end - trailing, starts[at]!);
  }
  return { ...text, starts, ends };
}

function spacesAt(token: string, from: number, step: 1 | -1): number {
  let count = 0;
  for (let at = from; token[at] !== undefined; at += step, count++) {
    const unit = token[at]!;
    if (unit !== SPACE && !/\s/.test(unit)) break;
  }
  return count;
}
