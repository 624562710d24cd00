import type { Tokenizer } from "@huggingface/tokenizers";
import { withOrderedMarks } from "./marks.ts";
import { precompiledMap } from "./precompiled.ts";
import { unigramSegmenter } from "./unigram.ts";

/** A normalizer of the library, or several as one. */
interface Step {
  config: { type?: string; precompiled_charsmap?: unknown };
  normalize(text: string): string;
  /** Of BertNormalizer. */
  strip_accents?(text: string): string;
  normalizers?: (Step | null)[];
}

/** Puts steps that do what the reference does, in linear time, in the place of the library's. */
export function useOwnSteps(tokenizer: Tokenizer, model: { type: string }): void {
  if (tokenizer.model && model.type === "Unigram") {
    const segment = unigramSegmenter(model);
    tokenizer.model.encode = (words: string[]) => words.flatMap(segment);
    tokenizer.model.fuse_unk = false;
  }
  replaceStep(tokenizer.normalizer as Step | null);
}

function replaceStep(step: Step | null): void {
  if (!step) return;
  for (const inner of step.normalizers ?? []) replaceStep(inner);
  const { type = "", precompiled_charsmap: map } = step.config;
  if (type === "Precompiled") step.normalize = precompiledMap(map);
  if (/^NFK?[CD]$/.test(type)) step.normalize = (text) => withOrderedMarks(text).normalize(type);
  if (type === "BertNormalizer")
    step.strip_accents = (text) =>
      withOrderedMarks(text)
        .normalize("NFD")
        .replaceAll(/\p{Mn}/gu, "");
}
