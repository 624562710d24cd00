import { NearcastError } from "../errors.ts";

/** Far more than any tensor's rank. Code that follows a value down must not run out of stack. */
const MAX_DEPTH = 64;

/**
 * How many arrays, objects, members and strings any JSON may have (`free`), and how many characters a longer text must
 * have for each. Each takes the memory and time of ten numbers. Numbers are cheap: a few bytes each.
 */
const BUDGETS = {
  arrays: { free: 524_288, characters: 12 },
  objects: { free: 98_304, characters: 64 },
  members: { free: 524_288, characters: 12 },
  strings: { free: 524_288, characters: 12 },
} as const;

/**
 * Each name that was not there before costs as much time as some thirty numbers: JSON's reader keeps a table of names,
 * and a shape of objects for each. Models with more features than this take arrays.
 */
const MOST_NAMES = 32_768;
/** Bits of the set that names are counted in. So many more than names that few share a bit. */
const NAME_BITS = 2 ** 20;
/** Nobody can make names that share a bit without knowing it. */
let seed = 0;

const [QUOTE, COLON, BACKSLASH] = [0x22, 0x3a, 0x5c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Checks JSON before it is parsed. Throws a RangeError for arrays and objects in more than 64 levels, and
 * `body_too_large` when `what` has too many arrays, objects, members, different names or strings.
 */
export function checkBudget(text: string, what: string): void {
  let [depth, arrays, objects, members, quoted, start, end] = [0, 0, 0, 0, 0, 0, 0];
  // A shorter text has no room for as many.
  const names = text.length > 4 * MOST_NAMES ? new NameCount() : undefined;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < COLON) {
      // Digits, commas, signs and spaces are less too.
      if (code !== QUOTE) continue;
      quoted += 1;
      start = index + 1;
      end = endOfString(text, index);
      index = end;
    } else if (code === COLON) {
      members += 1;
      names?.add(text, start, end);
    } else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      if (code === OPEN_ARRAY) arrays += 1;
      else objects += 1;
      depth += 1;
      if (depth > MAX_DEPTH)
        throw new RangeError(`arrays and objects are nested deeper than ${MAX_DEPTH}`);
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) depth -= 1;
  }
  if (names && names.count > MOST_NAMES)
    throw new NearcastError(
      "body_too_large",
      `${what} has more than ${MOST_NAMES} different names of members. Send arrays, or several requests.`,
    );
  // Each takes at least two characters.
  if (text.length < 2 * BUDGETS.objects.free) return;
  const counts = { arrays, objects, members, strings: quoted - members };
  for (const [name, { free, characters }] of Object.entries(BUDGETS)) {
    const most = Math.max(free, Math.floor(text.length / characters));
    const count = counts[name as keyof typeof BUDGETS];
    if (count > most)
      throw new NearcastError(
        "body_too_large",
        `${what} has ${count} ${name === "members" ? "members of objects" : name}: JSON may have ${free}, or one for every ${characters} characters. Send flat arrays of numbers, or several requests.`,
      );
  }
}

/** About how many different names there are: never more than there are, and hardly fewer. */
class NameCount {
  count = 0;
  readonly #seen = new Int32Array(NAME_BITS / 32);

  add(text: string, start: number, end: number): void {
    seed ||= crypto.getRandomValues(new Int32Array(1))[0]! | 1;
    let hash = seed;
    for (let index = start; index < end; index++)
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    hash = (hash ^ (hash >>> 13)) & (NAME_BITS - 1);
    const bit = 1 << (hash & 31);
    if ((this.#seen[hash >>> 5]! & bit) !== 0) return;
    this.#seen[hash >>> 5]! |= bit;
    this.count += 1;
  }
}

/** The end of the string that begins at `start`. The end of the text if the string never ends. */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}
