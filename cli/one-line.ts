/**
 * A message as one line. What zod says in several ("✖ …", "→ at inputs[0].shape") becomes `path: reason`, in plain
 * words, with semicolons between.
 */
export function oneLine(message: string): string {
  const problems = message.split(/^✖ /m);
  const before = flat(problems[0] ?? "");
  const reasons = problems.slice(1).map((problem) => {
    const [reason = "", path] = problem.split(/\n\s*→ at /);
    return path === undefined ? plain(flat(reason)) : `${flat(path)}: ${plain(flat(reason))}`;
  });
  return [before, reasons.join("; ")].filter((part) => part !== "").join(" ");
}

function flat(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ").trim();
}

const PLAIN: readonly (readonly [RegExp, string])[] = [
  [/^Invalid input: expected \w+, received undefined$/, "is missing"],
  [/^Invalid input: expected (\w+), received (\w+)$/, "must be of type $1, not $2"],
  [/^Invalid input: expected (.+)$/, "must be $1"],
  [/^Invalid option: expected one of (.+)$/, "must be one of $1"],
  [/^Unrecognized keys?: (.+)$/, "$1 is not known here"],
  [/^Invalid string: must match pattern (.+)$/, "must match $1"],
  [/^Too (?:small|big): expected \w+ to (?:be|have) (.+)$/, "must be $1"],
];

function plain(reason: string): string {
  for (const [pattern, words] of PLAIN)
    if (pattern.test(reason)) return reason.replace(pattern, words).replaceAll('"|"', '", "');
  return reason;
}
