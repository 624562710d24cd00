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

const [QUOTE, COLON, BACKSLASH] = [0x22, 0x3a, 0x5c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Checks JSON before it is parsed. Throws a RangeError for arrays and objects in more than 64 levels, and
 * `body_too_large` when `what` has too many arrays, objects, members or strings.
 */
export function checkBudget(text: string, what: string): void {
  let [depth, arrays, objects, members, quoted] = [0, 0, 0, 0, 0];
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < COLON) {
      // Digits, commas, signs and spaces are less too.
      if (code !== QUOTE) continue;
      quoted += 1;
      index = endOfString(text, index);
    } else if (code === COLON) members += 1;
    else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      if (code === OPEN_ARRAY) arrays += 1;
      else objects += 1;
      depth += 1;
      if (depth > MAX_DEPTH)
        throw new RangeError(`arrays and objects are nested deeper than ${MAX_DEPTH}`);
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) depth -= 1;
  }
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

/** The end of the string that begins at `start`. The end of the text if the string never ends. */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}
