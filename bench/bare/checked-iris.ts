// What the service checks and answers for iris, in the least code, for the checked function and the checked Worker.
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

type Lap = (phase: string) => void;

/** The client's id, if it is one, or a new one. */
export function idOf(given: unknown): string {
  return typeof given === "string" && /^[\w=-]{1,255}$/.test(given) ? given : crypto.randomUUID();
}

/** Answers rows, or one. Throws for other inputs. `run` gives the probabilities of features in a row. */
export async function answerIris(
  inputs: unknown,
  run: (data: Float32Array, shape: [rows: number, width: number]) => Promise<Float32Array>,
  lap?: Lap,
): Promise<object> {
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
  lap?.("preprocess");
  const probabilities = await run(data, [all.length, FEATURES.length]);
  lap?.("run");
  const outputs = ranked(probabilities, LABELS);
  lap?.("postprocess");
  return { model: "iris", version: "1", outputs: Array.isArray(inputs) ? outputs : outputs[0] };
}

/** The labels of each row with their scores, the highest first. */
function ranked(data: Float32Array, labels: string[]): object[] {
  const answers: object[] = [];
  for (let from = 0; from < data.length; from += labels.length) {
    const row = labels.map((label, index) => ({ label, score: data[from + index] ?? NaN }));
    row.sort((one, other) => other.score - one.score);
    const scores: Record<string, number> = {};
    for (const { label, score } of row) scores[label] = score;
    answers.push({ ...row[0], scores });
  }
  return answers;
}

/** Measures phases from now on. */
export function createLap(): { phases: string[]; lap: Lap } {
  const phases: string[] = [];
  let last = performance.now();
  return {
    phases,
    lap(phase) {
      const now = performance.now();
      phases.push(`${phase};dur=${(now - last).toFixed(3)}`);
      last = now;
    },
  };
}
