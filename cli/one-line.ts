import { plainIssue } from "../functions/plain-issue.ts";

/**
 * A message as one line. What zod says in several ("✖ …", "→ at inputs[0].shape") becomes `path: reason`, in plain
 * words, with semicolons between.
 */
export function oneLine(message: string): string {
  const problems = message.split(/^✖ /m);
  const before = flat(problems[0] ?? "");
  const reasons = problems.slice(1).map((problem) => {
    const [reason = "", path] = problem.split(/\n\s*→ at /);
    return path === undefined
      ? plainIssue(flat(reason))
      : `${flat(path)}: ${plainIssue(flat(reason))}`;
  });
  return [before, reasons.join("; ")].filter((part) => part !== "").join(" ");
}

function flat(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ").trim();
}
