import { compareAnswers } from "../compare.ts";

/** As `verify` allows. */
const TOLERANCE = 1e-4;

/**
 * How the answer differs from the one that the trainer saw, in words. Undefined where it does not. What was seen may be
 * a part of the answer: its label or value alone, or some members of an object.
 */
export async function differenceFrom(seen: unknown, answer: unknown): Promise<string | undefined> {
  return (await compareAnswers(seen, likewise(seen, answer), TOLERANCE)).mismatch;
}

/** The part of the answer that was seen. */
function likewise(seen: unknown, answer: unknown): unknown {
  if (Array.isArray(seen) && Array.isArray(answer))
    return answer.map((one, index) => likewise(seen[index], one));
  if (!isObject(answer)) return answer;
  if (!isObject(seen))
    return typeof seen === "string"
      ? (answer["label"] ?? answer["generated_text"])
      : (answer["value"] ?? answer["score"]);
  return Object.fromEntries(
    Object.keys(seen)
      .filter((name) => Object.hasOwn(answer, name))
      .map((name) => [name, likewise(seen[name], answer[name])]),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
