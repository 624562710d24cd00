import { PairTable } from "./pair-table.ts";

/** The node of the empty text. */
export const ROOT = 0;

/** Texts with a number each. They are found character by character. */
export class Trie {
  readonly #steps = new PairTable();
  /** By node: the number of the text that ends there, plus one. */
  #numbers = new Int32Array(1024);

  /** Adds a text. A text that is there already gets the new number. */
  add(text: string, number: number): void {
    let node = ROOT;
    for (const character of text) node = this.#steps.add(node, character.codePointAt(0)!);
    if (node >= this.#numbers.length) {
      const numbers = new Int32Array(Math.max(node + 1, this.#numbers.length * 2));
      numbers.set(this.#numbers);
      this.#numbers = numbers;
    }
    this.#numbers[node] = number + 1;
  }

  /** The node after one more character. {@link ROOT} when no text goes on with it. */
  next(node: number, codePoint: number): number {
    return this.#steps.find(node, codePoint);
  }

  /** The number of the text that ends at this node, or -1. */
  numberAt(node: number): number {
    return (this.#numbers[node] ?? 0) - 1;
  }

  /** The node of a text that begins at another node. Undefined when no text goes on with it. */
  nodeOf(text: string, from = ROOT): number | undefined {
    let node = from;
    for (const character of text) {
      node = this.next(node, character.codePointAt(0)!);
      if (node === ROOT) return undefined;
    }
    return node;
  }

  /** The number of a text. */
  numberOf(text: string): number | undefined {
    const node = this.nodeOf(text);
    if (node === undefined) return undefined;
    const number = this.numberAt(node);
    return number < 0 ? undefined : number;
  }
}
