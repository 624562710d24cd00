// What the service checks and answers for iris, in the least code, for the checked server, function and Worker.
import { checkBudget } from "../../functions/wire/json-budget.ts";
import { rawNumber } from "../../functions/wire/raw-number.ts";

const MAX_ROWS = 1000;
const FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"];
const LABELS = ["setosa", "versicolor", "virginica"];
const MOST = 20;

export const SECURITY_HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Strict-Transport-Security": "max-age=31536000",
  "X-Content-Type-Options": "nosniff",
};

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The client's id, if it is one, or a new one. */
export function idOf(given: unknown): string {
  return typeof given === "string" && /^[\w=-]{1,255}$/.test(given) ? given : crypto.randomUUID();
}

/** Reads JSON in UTF-8 with a budget. */
export function readJson(bytes: Uint8Array): unknown {
  const text = utf8.decode(bytes);
  checkBudget(text, "The body");
  return JSON.parse(text);
}

/** The inputs of a body. Throws for any other member. */
export function readInputs(body: Uint8Array): unknown {
  const { inputs, ...others } = readJson(body) as { inputs: unknown };
  if (Object.keys(others).length > 0) throw new TypeError("another member");
  return inputs;
}

/** The features of rows, or of one, and their shape. Throws for other inputs. */
export function featuresOf(inputs: unknown): { data: Float32Array; shape: [number, number] } {
  const all = Array.isArray(inputs) ? (inputs as unknown[]) : [inputs];
  if (all.length === 0 || all.length > MAX_ROWS) throw new RangeError("too many rows");
  const data = new Float32Array(all.length * FEATURES.length);
  let next = 0;
  for (const row of all as Record<string, unknown>[]) {
    if (typeof row !== "object" || row === null) throw new TypeError("no row");
    if (Object.keys(row).length !== FEATURES.length) throw new TypeError("other features");
    for (const name of FEATURES) {
      const value = row[name];
      if (typeof value !== "number" || !(value >= 0 && value <= MOST)) throw new TypeError(name);
      data[next++] = value;
    }
  }
  return { data, shape: [all.length, FEATURES.length] };
}

/** The answer for the inputs, whose probabilities are in a row. */
export function answerOf(inputs: unknown, probabilities: Float32Array): object {
  const outputs = ranked(probabilities, LABELS);
  return { model: "iris", version: "1", outputs: Array.isArray(inputs) ? outputs : outputs[0] };
}

/** The labels of each row with their scores, the highest first. */
export function ranked(data: Float32Array, labels: string[]): object[] {
  const answers: object[] = [];
  for (let from = 0; from < data.length; from += labels.length) {
    const row = labels.map((label, index) => ({ label, score: data[from + index] ?? NaN }));
    row.sort((one, other) => other.score - one.score);
    const scores: Record<string, unknown> = {};
    for (const { label, score } of row) scores[label] = signed(score);
    const [best = { label: "", score: 0 }] = row;
    answers.push({ label: best.label, score: signed(best.score), scores });
  }
  return answers;
}

/** JSON would lose the sign of -0. */
function signed(score: number): unknown {
  return Object.is(score, -0) ? rawNumber("-0.0") : score;
}
