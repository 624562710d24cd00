import type { Parts } from "../../define.ts";
import type { Effort } from "../effort.ts";
import type { Normalizer } from "../library-steps.ts";
import { IDEOGRAPHS, ODD_SPACE } from "../normalizers.ts";
import { CONTROLS, MARKS, NONSPACING } from "../old-categories.ts";
import { precompiledMap } from "../precompiled.ts";
import { changed, Changes, eachCharacter, eachMatch, type Aligned } from "./aligned.ts";
import { inForm } from "./unicode-forms.ts";

/** Changes a text and keeps its places, at once or in parts. */
export type Normalize = (source: Aligned, effort: Effort) => Aligned | Parts<Aligned>;

/**
 * The normalizers of {@link Normalizer} in order, with places. They make the same texts as those without. Throws an
 * Error for an unknown one.
 */
export function alignedNormalizers(step: Normalizer | null): Normalize[] {
  if (!step) return [];
  if (step.normalizers) return step.normalizers.flatMap(alignedNormalizers);
  const { config, pattern } = step;
  const { type = "" } = config;
  if (/^NFK?[CD]$/.test(type)) return [(source) => inForm(source, type as "NFC")];
  if (type === "BertNormalizer") return bertNormalizers(config);
  if (type === "Lowercase") return [lowercased];
  if (type === "StripAccents") return [(source) => eachMatch(source, MARKS, () => "")];
  if (type === "Prepend") return [(source) => prepended(source, config.prepend ?? "")];
  if (type === "Precompiled") return [precompiled(config.precompiled_charsmap)];
  if (type === "Replace" && pattern) {
    const content = config.content ?? "";
    const marked = content.replaceAll("$$", "\0").split("$&");
    return [
      (source) => eachMatch(source, pattern, (match) => marked.join(match).replaceAll("\0", "$")),
    ];
  }
  throw new Error(`offsets are not supported behind the normalizer ${type}`);
}

function bertNormalizers(options: Normalizer["config"]): Normalize[] {
  const { clean_text, handle_chinese_chars, lowercase, strip_accents } = options;
  const steps: Normalize[] = [];
  if (clean_text)
    steps.push(
      (source) => eachMatch(source, CONTROLS, () => ""),
      (source) => eachMatch(source, ODD_SPACE, () => " "),
    );
  if (handle_chinese_chars)
    steps.push((source) => eachMatch(source, IDEOGRAPHS, (match) => ` ${match} `));
  if (lowercase) steps.push(lowercased);
  if (strip_accents ?? lowercase)
    steps.push(
      (source) => inForm(source, "NFD"),
      (source) => eachMatch(source, NONSPACING, () => ""),
    );
  return steps;
}

function lowercased(source: Aligned): Aligned {
  const text = source.text.toLowerCase();
  // Nearly always, each character becomes one of the same length.
  if (text.length === source.text.length) return { ...source, text };
  return eachCharacter(source, (character) => character.toLowerCase());
}

/** A text with another one before it, which has the place of the first character. */
export function prepended(source: Aligned, text: string): Aligned {
  return eachMatch(source, /^[^]/gu, (first) => text + first);
}

function precompiled(base64: unknown): Normalize {
  const replace = precompiledMap(base64);
  return function* normalize(source, effort) {
    const changes = new Changes();
    const text = yield* replace(source.text, effort, changes);
    return text === source.text ? source : changed(source, changes);
  };
}
