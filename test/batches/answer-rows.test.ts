import { expect, test } from "vitest";
import { answerRows, type AskRows } from "../../functions/batches/answer-rows.ts";

const LATE = { code: "deadline_exceeded", detail: "The deadline has passed." };
const rows = Array.from({ length: 1000 }, (_, row) => row);

/** How often a model is asked, and the rows without an answer. */
async function asks(isLate: (some: readonly unknown[]) => boolean) {
  let count = 0;
  const ask: AskRows = async (some) => {
    count += 1;
    return isLate(some) ? LATE : { outputs: some };
  };
  const answers = await answerRows(rows, ask);
  expect(answers).toHaveLength(rows.length);
  const late = rows.filter((row) => "error" in (answers[row] ?? {}));
  for (const row of rows)
    expect(answers[row]).toEqual(late.includes(row) ? { error: LATE } : { output: row });
  return { count, late };
}

test("a model that is always too slow is asked three times for a chunk", async () => {
  expect(await asks(() => true)).toEqual({ count: 3, late: rows });
});

test("so is one that refuses the parameters", async () => {
  const path = "parameters.threshold";
  const error = { code: "invalid_input", detail: "", errors: [{ path, message: "is wrong" }] };
  let count = 0;
  const answers = await answerRows(rows, async () => {
    count += 1;
    return error;
  });
  expect(answers).toEqual(rows.map(() => ({ error })));
  expect(count).toBe(3);
});

test("one slow row makes no other one late, wherever it is", async () => {
  for (const slow of [0, 1, 499, 500, 501, 998, 999]) {
    const { count, late } = await asks((some) => some.includes(slow));
    expect(late).toEqual([slow]);
    expect(count).toBeLessThan(50);
  }
});

test("a model that is too slow for many rows at once is asked for fewer", async () => {
  const { count, late } = await asks((some) => some.length > 150);
  expect(late).toEqual([]);
  expect(count).toBeLessThan(40);
});
