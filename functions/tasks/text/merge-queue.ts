/** All positions are below this. A rank times this is exact in a double. */
const POSITIONS = 2 ** 31;

/** Pairs of a word by rank, and by position where ranks are equal. A binary heap with both in one number. */
export class MergeQueue {
  /** The rank of the pair that the last {@link pop} removed. */
  rank = 0;
  position = 0;
  readonly #heap: number[] = [];

  push(rank: number, position: number): void {
    const heap = this.#heap;
    const key = rank * POSITIONS + position;
    let at = heap.length;
    heap.push(key);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]! <= key) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = key;
  }

  /** Removes the first pair. False when there is none. */
  pop(): boolean {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined) return false;
    this.position = first % POSITIONS;
    this.rank = (first - this.position) / POSITIONS;
    const key = heap.pop()!;
    if (heap.length === 0) return true;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child += 1;
      if (heap[child]! >= key) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = key;
    return true;
  }
}
