/**
 * A text with the place of each UTF-16 unit in the text that it was made of. Places count Unicode characters, as
 * offsets of Hugging Face's libraries do. Steps change texts as the Rust library `tokenizers` does, so that offsets are
 * the same.
 */
export interface Aligned {
  readonly text: string;
  /** The first character that the unit came from. */
  readonly starts: ArrayLike<number>;
  /** One after the last character that the unit came from. */
  readonly ends: ArrayLike<number>;
}

/** A part of an aligned text, from `start` to `end` in UTF-16 units. */
export interface Part {
  readonly of: Aligned;
  readonly start: number;
  readonly end: number;
}

/** A text before any step: each character is its own place. */
export function unchanged(text: string): Aligned {
  const starts = new Uint32Array(text.length);
  const ends = new Uint32Array(text.length);
  let place = 0;
  for (let at = 0; at < text.length; place++) {
    const next = at + unitsAt(text, at);
    for (; at < next; at++) {
      starts[at] = place;
      ends[at] = place + 1;
    }
  }
  return { text, starts, ends };
}

/** A part as a text of its own. */
export function sliced({ of, start, end }: Part): Aligned {
  if (start === 0 && end === of.text.length) return of;
  return {
    text: of.text.slice(start, end),
    starts: Array.prototype.slice.call(of.starts, start, end) as number[],
    ends: Array.prototype.slice.call(of.ends, start, end) as number[],
  };
}

/** Collects a new text, unit by unit, with places of the text that it is made of. */
class Aligning {
  #text = "";
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  readonly #source: Aligned;

  constructor(source: Aligned) {
    this.#source = source;
  }

  /** Appends a text that came from one unit of the source. */
  add(text: string, from: number): void {
    this.#add(text, this.#source.starts[from] ?? 0, this.#source.ends[from] ?? 0);
  }

  /** Appends a part of the source as it is. */
  keep(start: number, end: number): void {
    const { text, starts, ends } = this.#source;
    this.#text += text.slice(start, end);
    for (let at = start; at < end; at++) {
      this.#starts.push(starts[at]!);
      this.#ends.push(ends[at]!);
    }
  }

  done(): Aligned {
    return { text: this.#text, starts: this.#starts, ends: this.#ends };
  }

  #add(text: string, start: number, end: number): void {
    this.#text += text;
    for (let count = text.length; count > 0; count--) {
      this.#starts.push(start);
      this.#ends.push(end);
    }
  }
}

/** Replaces each character by a text, which may be empty. */
export function eachCharacter(source: Aligned, replace: (character: string) => string): Aligned {
  const { text } = source;
  const made = new Aligning(source);
  for (let at = 0; at < text.length;) {
    const end = at + unitsAt(text, at);
    made.add(replace(text.slice(at, end)), at);
    at = end;
  }
  return made.done();
}

/** Replaces each match. The new text has the place of the match's last character. */
export function eachMatch(
  source: Aligned,
  pattern: RegExp,
  replace: (match: string) => string,
): Aligned {
  const made = new Aligning(source);
  let start = 0;
  for (const { 0: match, index } of source.text.matchAll(pattern)) {
    made.keep(start, index);
    start = index + match.length;
    made.add(replace(match), start - 1);
  }
  if (start === 0) return source;
  made.keep(start, source.text.length);
  return made.done();
}

/**
 * The characters of a new text, and how each changes the old one: 0 takes the place of the next old character, 1 is
 * inserted after it, -1 takes the place of the next old character and removes one more.
 */
export class Changes {
  readonly characters: string[] = [];
  readonly counts: number[] = [];

  push(character: string, count: number): void {
    this.characters.push(character);
    this.counts.push(count);
  }

  keep(text: string): void {
    for (const character of text) this.push(character, 0);
  }

  /** Puts a text in place of another one. The last characters are the inserted ones, or remove the rest. */
  replace(old: string, text: string): void {
    const [before, after] = [Array.from(old).length, Array.from(text)];
    for (const [index, character] of after.entries()) this.push(character, Number(index >= before));
    const last = this.counts.length - 1;
    if (after.length < before && last >= 0)
      this.counts[last] = this.counts[last]! - (before - after.length);
  }
}

export function changed(source: Aligned, { characters, counts }: Changes): Aligned {
  const { text } = source;
  const made = new Aligning(source);
  let next = 0;
  for (const [index, character] of characters.entries()) {
    const count = counts[index]!;
    made.add(character, count > 0 ? Math.max(0, next - 1) : next);
    for (let taken = count; taken <= 0 && next < text.length; taken++) next += unitsAt(text, next);
  }
  return made.done();
}

/** How many UTF-16 units the character there has. */
function unitsAt(text: string, at: number): number {
  return text.codePointAt(at)! > 0xffff ? 2 : 1;
}
