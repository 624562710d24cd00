import type { Normalizer } from "./library-steps.ts";
import type { Parts } from "../define.ts";
import type { Effort } from "./effort.ts";
import { withOrderedMarks } from "./marks.ts";
import { CONTROLS, MARKS, NONSPACING } from "./old-categories.ts";
import { precompiledMap } from "./precompiled.ts";

/** Changes a text, at once or in parts. */
export type Normalize = (text: string, effort: Effort) => string | Parts<string>;

/** The library's normalizers in order. Own ones replace those that are slow or differ from the reference. */
export function normalizersOf(step: Normalizer | null): Normalize[] {
  if (!step) return [];
  if (step.normalizers) return step.normalizers.flatMap(normalizersOf);
  const { type = "", precompiled_charsmap: map } = step.config;
  if (type === "Precompiled") return [precompiledMap(map)];
  if (/^NFK?[CD]$/.test(type)) return [(text) => withOrderedMarks(text).normalize(type)];
  if (type === "StripAccents") return [(text) => text.replaceAll(MARKS, "")];
  if (type === "BertNormalizer") return bertNormalizers(step.config);
  return [(text) => step.normalize(text)];
}

/**
 * Replaces the library's BertNormalizer. That tests each character with regular expressions and is ten times as slow.
 */
function bertNormalizers(options: Normalizer["config"]): Normalize[] {
  const { clean_text, handle_chinese_chars, lowercase, strip_accents } = options;
  const steps: Normalize[] = [];
  if (clean_text) steps.push((text) => text.replaceAll(CONTROLS, "").replaceAll(ODD_SPACE, " "));
  if (handle_chinese_chars) steps.push((text) => text.replaceAll(IDEOGRAPHS, " $& "));
  if (lowercase) steps.push((text) => text.toLowerCase());
  if (strip_accents ?? lowercase) steps.push(withoutAccents);
  return steps;
}

function withoutAccents(text: string): string {
  return withOrderedMarks(text).normalize("NFD").replaceAll(NONSPACING, "");
}

export const ODD_SPACE = /[^\S ]/g;
export const IDEOGRAPHS = /[\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF]/g;
