import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { graphsPage, readRecorded } from "../../infra/build-backend-cases.ts";
import { root } from "../readme.ts";
import { readCases } from "./case.ts";

const recorded = await readRecorded();

test("docs/graphs.md is what `npm run build:reference` makes", async () => {
  expect(await readFile(join(root, "docs/graphs.md"), "utf8")).toBe(graphsPage(recorded));
});

test("no case that ONNX Runtime passes is answered wrongly, or refused for more than having no inputs", () => {
  const passed = recorded.reasons.filter(({ passes }) => passes).map(({ why }) => why);
  expect(passed).toEqual(["a graph without inputs, which always answers the same"]);
});

test("the cases that the tests ask are recorded as right", async () => {
  const kept = await readCases(join(root, "test/fixtures/backend-cases/kept"));
  const others = new Set(recorded.reasons.flatMap(({ cases }) => cases));
  expect(kept.map(({ name }) => name).filter((name) => others.has(name))).toEqual([]);
});
