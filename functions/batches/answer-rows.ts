import type { RowError } from "../inputs/row.ts";

/**
 * Asks a model for several inputs. Gives their outputs in order, with an array of where their looked-up features are from
 * if the version looks up any, or why it refuses them. Rejects with what may pass later.
 */
export type AskRows = (
  inputs: readonly unknown[],
) => Promise<{ outputs: unknown; features?: unknown } | RowError>;

/** The answer of one row. */
export type RowAnswer = { output: unknown; features?: unknown } | { error: RowError };

const NO_INPUT: RowError = {
  code: "invalid_input",
  detail: "The row is not an input of this model.",
};

/**
 * Answers every row for itself: a row that is refused does not spoil the others. Asks for all together first, and for
 * the halves of what is left where some are refused. Where the answer is late, or the parameters are refused, for the first
 * and the last one alone: if both are answered so too, so are all. Rejects as `ask` does.
 */
export async function answerRows(inputs: readonly unknown[], ask: AskRows): Promise<RowAnswer[]> {
  const answers: RowAnswer[] = [];

  async function part(rows: readonly number[]): Promise<void> {
    if (rows.length === 0) return;
    const given = await ask(rows.map((row) => inputs[row]));
    if (
      "outputs" in given &&
      Array.isArray(given.outputs) &&
      given.outputs.length === rows.length
    ) {
      const outputs: unknown[] = given.outputs;
      const features = Array.isArray(given.features) ? (given.features as unknown[]) : [];
      rows.forEach((row, index) => {
        const own = features[index];
        answers[row] = { output: outputs[index], ...(own !== undefined && { features: own }) };
      });
      return;
    }
    const error = "outputs" in given ? NO_INPUT : given;
    const named = errorsByRow(error);
    const left: number[] = [];
    rows.forEach((row, index) => {
      const own = named.get(index) ?? (rows.length === 1 ? error : undefined);
      if (own) answers[row] = { error: own };
      else left.push(row);
    });
    if (isOfAll({ error })) {
      const ends = [...left.splice(0, 1), ...left.splice(-1)];
      // At once, and not in halves first: each ask of what hangs takes as long again.
      await Promise.all(ends.map((end) => part([end])));
      if (ends.every((end) => isOfAll(answers[end])))
        for (const row of left.splice(0)) answers[row] = { error };
    }
    const half = Math.ceil(left.length / 2);
    await part(left.slice(0, half));
    await part(left.slice(half));
  }

  await part(inputs.map((_, row) => row));
  return answers;
}

/** Whether the other rows may be answered so too: late, or with an error of the parameters, which they share. */
function isOfAll(answer: RowAnswer | undefined): boolean {
  if (answer === undefined || !("error" in answer)) return false;
  const { code, errors = [] } = answer.error;
  const areParameters =
    errors.length > 0 && errors.every(({ path }) => path.startsWith("parameters"));
  return code === "deadline_exceeded" || areParameters;
}

/** The errors of the rows that an error names. */
function errorsByRow({ code, errors = [] }: RowError): Map<number, RowError> {
  const named = new Map<number, RowError>();
  for (const { path, message } of errors) {
    const [, row, member = ""] = /^inputs\[(\d+)\]\.?(.*)$/s.exec(path) ?? [];
    if (row === undefined) continue;
    const own = { path: member || "input", message };
    const known = named.get(Number(row));
    if (known?.errors) known.errors.push(own);
    else named.set(Number(row), { code, detail: `${own.path} ${message}`, errors: [own] });
  }
  return named;
}
