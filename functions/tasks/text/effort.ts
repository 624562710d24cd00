/** Characters after which work on a text makes a pause: some milliseconds of the slowest steps. */
export const PART_LENGTH = 4096;

/** How much has been done since the last pause. Many short texts share one pause. */
export class Effort {
  #characters = 0;

  /** Counts characters that are about to be worked on. True when a pause is due before that. */
  isDue(characters: number): boolean {
    this.#characters += characters;
    if (this.#characters < PART_LENGTH) return false;
    this.#characters = 0;
    return true;
  }
}
