import { afterAll, beforeAll, expect, test } from "vitest";
import { asUser } from "../harness/as-a-user.ts";
import { inProject, installExample, type Example } from "./example.ts";

let example: Example;
beforeAll(async () => {
  example = await installExample("script");
});
afterAll(() => example.remove());

test("its types are right", async () => {
  await inProject(example.folder, "typescript/bin/tsc", ["-p", "."]);
});

test("the README's command prints answers, records and an error, and ends", async () => {
  const printed = await asUser(example.commands[0] ?? "", example.folder);
  expect(printed).toContain("record: delivery 1, 2 rows, answered");
  expect(printed).toMatch(
    /\[\{"value":16\.157\d*,"unit":"EUR"\},\{"value":\d+\.\d+,"unit":"EUR"\}\]/,
  );
  expect(printed).toContain("record: delivery 1, 1 rows, invalid_input");
  expect(printed).toMatch(/invalid_input: inputs\.kilograms/);
});
