const FIRST_CAPACITY = 1024;

/**
 * Gives pairs of whole numbers a number, from 1 on, in the order of their addition. Uses typed arrays: a vocabulary has
 * hundreds of thousands of pairs, and a Map would take four times the memory.
 */
export class PairTable {
  size = 0;
  #firsts = new Int32Array(FIRST_CAPACITY);
  #seconds = new Int32Array(FIRST_CAPACITY);
  /** The pairs' numbers by hash, 0 where there is none. It has twice as many places as pairs fit. */
  #slots = new Int32Array(FIRST_CAPACITY * 2);

  /** The number of a pair, or 0. */
  find(first: number, second: number): number {
    return this.#slots[this.#slotOf(first, second)]!;
  }

  /** The number of a pair. Adds the pair when it is new. */
  add(first: number, second: number): number {
    let slot = this.#slotOf(first, second);
    const known = this.#slots[slot]!;
    if (known > 0) return known;
    if (this.size + 1 === this.#firsts.length) {
      this.#grow();
      slot = this.#slotOf(first, second);
    }
    this.size += 1;
    this.#firsts[this.size] = first;
    this.#seconds[this.size] = second;
    this.#slots[slot] = this.size;
    return this.size;
  }

  #slotOf(first: number, second: number): number {
    const mask = this.#slots.length - 1;
    const mixed = Math.imul(first, 0x9e37_79b1) ^ Math.imul(second, 0x85eb_ca6b);
    let slot = (mixed ^ (mixed >>> 15)) & mask;
    for (;;) {
      const pair = this.#slots[slot]!;
      if (pair === 0) return slot;
      if (this.#firsts[pair] === first && this.#seconds[pair] === second) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const [firsts, seconds] = [this.#firsts, this.#seconds];
    this.#firsts = new Int32Array(firsts.length * 2);
    this.#seconds = new Int32Array(firsts.length * 2);
    this.#firsts.set(firsts);
    this.#seconds.set(seconds);
    this.#slots = new Int32Array(firsts.length * 4);
    for (let pair = 1; pair <= this.size; pair++)
      this.#slots[this.#slotOf(firsts[pair]!, seconds[pair]!)] = pair;
  }
}
