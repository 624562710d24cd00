import { expect, test } from "vitest";
import { createMemorySource } from "../../functions/features/memory-source.ts";
import { defineTask } from "../../functions/tasks/define.ts";
import { regressionOptions } from "../../functions/tasks/tabular-regression/options.ts";
import { tabularRegression } from "../../functions/tasks/tabular-regression/task.ts";
import { churnFolder, customers, openChurn } from "./service.ts";

const sources = [createMemorySource("customers", customers())];
const folder = await churnFolder();

test("mistakes beside a key are named as without a look-up", async () => {
  const { predict } = openChurn(folder, { sources });
  const right = { customer_id: 42, income: 1 };
  const errorsOf = async (inputs: unknown) => (await predict(inputs)).errors;
  const text = { path: "inputs[1].income", message: "must be a number" };
  expect(await errorsOf([right, { customer_id: 42, income: "1" }])).toEqual([text]);
  const unknown = { path: "inputs.salary", message: "is not a feature of this model" };
  expect(await errorsOf({ ...right, salary: 1 })).toEqual([unknown]);
  const absent = { path: "inputs[0].income", message: "is missing" };
  expect(await errorsOf([{ customer_id: 42 }, right])).toEqual([absent]);
  // As many members as a right one has.
  const instead = await errorsOf({ customer_id: 42, salary: 1 });
  expect(instead).toEqual([unknown, { path: "inputs.income", message: "is missing" }]);
});

test("a task that takes no rows by position gets named ones", async () => {
  const seen: unknown[] = [];
  const own = defineTask({
    ...tabularRegression,
    name: "own-regression",
    options: regressionOptions,
    async compile(...parts: Parameters<typeof tabularRegression.compile>) {
      const { byPosition, ...compiled } = await tabularRegression.compile(...parts);
      expect(byPosition).toBe(true);
      return {
        ...compiled,
        preprocess(...[rows, options]: Parameters<typeof compiled.preprocess>) {
          seen.push(...rows);
          return compiled.preprocess(rows, options);
        },
      };
    },
  });
  const models = await churnFolder({}, { task: own.name });
  const { predict } = openChurn(models, { sources, tasks: [own] });
  const input = { customer_id: 42, income: 1 };
  expect((await predict(input)).status).toBe(200);
  expect(seen).toEqual([{ ...input, age: 30, member: true, city: "Oslo" }]);
});
