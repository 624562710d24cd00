/** Work on a text pauses after this many characters. The slowest steps take some milliseconds for them. */
export const PART_LENGTH = 4096;

/** Counts the work since the last pause. Many short texts share one pause. */
export class Effort {
  #characters = 0;

  /** Counts the characters of the next step. True when a pause is due before it. */
  isDue(characters: number): boolean {
    this.#characters += characters;
    if (this.#characters < PART_LENGTH) return false;
    this.#characters = 0;
    return true;
  }
}
