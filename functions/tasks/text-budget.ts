/** What the texts of one request may cost, and have cost. Both methods throw a RangeError when it is too much. */
export interface TextBudget {
  /** Counts characters, in UTF-16 code units: those of a text, and those that it gains when it is normalised. */
  takeCharacters(count: number): void;
  /** Counts tokens that the model gets. */
  takeTokens(count: number): void;
}

/**
 * A request may have so many, whatever its bytes: a tenth of a second of work. More are paid for with the bytes that
 * came, or a few kilobytes of nothing would cost as much as a book. Compressed prose has some 3 characters a byte, and
 * less than one token.
 */
const [FREE_CHARACTERS, MOST_CHARACTERS_PER_BYTE] = [262_144, 6];
const FREE_TOKENS = 65_536;

/**
 * `sentBytes`: how many bytes of the request came. What was compressed on its way does not count as more. `added`:
 * characters that the version adds to the texts itself.
 */
export function createTextBudget(sentBytes = Infinity, added = 0): TextBudget {
  const paid = sentBytes + added;
  const mostCharacters = Math.max(FREE_CHARACTERS, paid * MOST_CHARACTERS_PER_BYTE);
  const mostTokens = Math.max(FREE_TOKENS, paid);
  let [characters, tokens] = [0, 0];
  const tooMuch = (what: string, rule: string) =>
    new RangeError(
      `brings the request to ${what} in ${sentBytes} bytes; ${rule}: send fewer texts, or send them without Content-Encoding`,
    );

  return {
    takeCharacters(count) {
      characters += count;
      if (characters > mostCharacters)
        throw tooMuch(
          `${characters} characters`,
          `more than ${FREE_CHARACTERS} need a byte for each ${MOST_CHARACTERS_PER_BYTE}`,
        );
    },
    takeTokens(count) {
      tokens += count;
      if (tokens > mostTokens)
        throw tooMuch(`${tokens} tokens`, `more than ${FREE_TOKENS} need a byte each`);
    },
  };
}
