import { withOrderedMarks } from "../marks.ts";
import { changed, Changes, type Aligned } from "./aligned.ts";

/** A character, and those after it that may be composed with it. */
const COMPOSING = /[^][\p{M}\u1160-\u11ff\ud7b0-\ud7fb\u3131-\u318e\uff9e-\uffdc]*/gu;

type Form = "NFC" | "NFD" | "NFKC" | "NFKD";

/** A text in one of Unicode's forms. */
export function inForm(source: Aligned, form: Form): Aligned {
  if (source.text.normalize(form) === source.text) return source;
  const changes = new Changes();
  for (const [part] of source.text.matchAll(COMPOSING)) {
    const made = part.length < 24 ? part.normalize(form) : withOrderedMarks(part).normalize(form);
    if (made === part) changes.keep(part);
    else addChanges(changes, part, made, form);
  }
  return changed(source, changes);
}

function addChanges(changes: Changes, part: string, made: string, form: Form): void {
  const decomposed = partsOf(part, form.includes("K") ? "NFKD" : "NFD");
  const composes = form.endsWith("C");
  for (const character of made) {
    let count = 1;
    for (const one of composes ? character.normalize("NFD") : [character]) {
      const known = decomposed.get(one);
      count += (known?.counts[known.used++] ?? 1) - 1;
    }
    changes.push(character, count);
  }
}

/**
 * The characters that a text is made of. Each has its changes in the text's order: 0 for the first part of a character, 1
 * for the others.
 */
function partsOf(text: string, form: Form) {
  const parts = new Map<string, { counts: number[]; used: number }>();
  for (const character of text) {
    let count = 0;
    for (const one of character.normalize(form)) {
      const known = parts.get(one);
      if (known) known.counts.push(count);
      else parts.set(one, { counts: [count], used: 0 });
      count = 1;
    }
  }
  return parts;
}
