import { expect, test } from "vitest";
import { openService } from "../limits/counting-service.ts";

test("between the runs of a long request others have their turn", async () => {
  const { ask, runs } = openService();
  const predict = (inputs: unknown) => ask("/v1/models/search/predict", JSON.stringify({ inputs }));
  // 128 tokens each, in runs of 64 rows.
  const texts = Array.from({ length: 260 }, () => "a ".repeat(130));
  // After long runs only one may begin at a time.
  await predict(texts);
  runs.length = 0;
  const long = predict(texts);
  await expect.poll(() => runs.length, { interval: 1, timeout: 20_000 }).toBeGreaterThan(0);
  const short = predict("short");
  expect((await Promise.all([long, short])).map(({ status }) => status)).toEqual([200, 200]);
  const rows = runs.map((feeds) => feeds["input_ids"]?.shape[0]);
  expect(rows).toHaveLength(6);
  expect(rows.indexOf(1)).toBeLessThan(5);
});
