import { writeJson } from "../../wire/raw-number.ts";
import { redacted, type Pattern } from "./patterns.ts";

/** What is left out of a copy. */
export interface Rules {
  /** Members of these names, at any depth. */
  names: ReadonlySet<string>;
  /** What texts have of these kinds is replaced. */
  patterns: readonly Pattern[];
}

/** The most characters of one value as JSON, about. */
export const MOST_VALUE = 64 * 1024;
/** The most of all values of a call. */
const MOST_CALL = 256 * 1024;

const TOO_MUCH = Symbol("too much");
/** Since ECMAScript 2026: numbers whose digits are kept. */
const { isRawJSON } = JSON as unknown as { isRawJSON?: (value: unknown) => boolean };

/** Copies what is kept of one call. Work and result are bounded: it is done before the answer is sent. */
export class Copying {
  #leftOfCall = MOST_CALL;
  #left = 0;

  /** A copy of the value that JSON can have, or null where it is too large. */
  copy(value: unknown, rules: Rules): unknown {
    this.#left = Math.min(MOST_VALUE, this.#leftOfCall);
    const before = this.#left;
    try {
      return this.#copy(value, rules);
    } catch (error) {
      if (error !== TOO_MUCH) throw error;
      return null;
    } finally {
      this.#leftOfCall -= before - Math.max(0, this.#left);
    }
  }

  #copy(value: unknown, rules: Rules): unknown {
    if (typeof value === "string") return this.#text(value, rules);
    this.#take(8);
    if (typeof value === "bigint") return String(value);
    // JSON would make it null.
    if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
    if (typeof value !== "object" || value === null) return value ?? null;
    if (isRawJSON?.(value)) return value;
    if (value instanceof Uint8Array) return this.#base64(value);
    if (Array.isArray(value)) return value.map((item) => this.#copy(item, rules));
    const entries: [string, unknown][] = [];
    for (const [name, member] of Object.entries(value)) {
      if (rules.names.has(name)) continue;
      this.#take(name.length);
      entries.push([name, this.#copy(member, rules)]);
    }
    return Object.fromEntries(entries);
  }

  #text(text: string, { patterns }: Rules): string {
    this.#take(text.length + 2);
    return redacted(text, patterns);
  }

  #base64(bytes: Uint8Array): string {
    this.#take((bytes.length * 4) / 3);
    return btoa(String.fromCharCode(...bytes));
  }

  #take(characters: number): void {
    this.#left -= characters;
    if (this.#left < 0) throw TOO_MUCH;
  }
}

/** The members of an object as JSON, without its braces. */
export function writeMembers(members: Record<string, unknown>): string {
  return writeJson(members).slice(1, -1);
}
