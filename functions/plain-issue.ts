/** Turns zod's message about a value into plain words that can follow a path. Leaves other messages as they are. */
export function plainIssue(message: string): string {
  for (const [pattern, words] of PLAIN) {
    const match = pattern.exec(message);
    if (match) return words(...match.slice(1));
  }
  return message;
}

const PLAIN: readonly (readonly [RegExp, (...found: string[]) => string])[] = [
  [/^Invalid input: expected \w+, received undefined$/, () => "is missing"],
  [/^Invalid input: expected int, received number$/, () => "must be an integer"],
  [
    /^Invalid input: expected (\w+), received (\w+)$/,
    (expected, received) => `must be ${kind(expected)}, not ${kind(received)}`,
  ],
  [/^Too small: expected \w+ to have >=1 (?:items|characters)$/, () => "must not be empty"],
  [/^Invalid input: expected (.+)$/, (expected = "") => `must be ${list(expected)}`],
  [/^Invalid input$/, () => "has none of the forms that are allowed here"],
  [/^Invalid option: expected one of (.+)$/, (options = "") => `must be one of ${list(options)}`],
  [/^Unrecognized keys?: (.+)$/, (keys) => `${keys} is not known here`],
  [/^Invalid string: must match pattern (.+)$/, (pattern) => `must match ${pattern}`],
  [
    /^Too (small|big): expected \w+ to (?:have|be) ([<>]=?)(\S+)(?: (items|characters))?$/,
    (_, comparison = "", limit, things) => {
      const bound = `${BOUNDS[comparison]} ${limit}`;
      return things === undefined ? `must be ${bound}` : `must have ${bound} ${things}`;
    },
  ],
];

const BOUNDS: Record<string, string> = {
  ">=": "at least",
  ">": "more than",
  "<=": "at most",
  "<": "less than",
};

const KINDS: Record<string, string> = {
  array: "an array",
  boolean: "true or false",
  int: "an integer",
  nan: "NaN",
  null: "null",
  number: "a number",
  object: "an object",
  record: "an object",
  string: "a string",
};

function kind(type = ""): string {
  return KINDS[type] ?? type;
}

function list(options: string): string {
  return options.replaceAll('"|"', '", "');
}
