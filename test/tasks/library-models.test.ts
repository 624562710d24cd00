import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openPackage } from "../../cli/package-folder.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { createTasks } from "../../functions/tasks/tasks.ts";
import { add, ANSWERED, CASES, expectLibraryAnswers, type LibraryCase } from "./library-models.ts";
import { openService, RUNTIMES } from "./service.ts";

// Trained models of scikit-learn, XGBoost, LightGBM and CatBoost answer as their library does, or are refused.
let models = "";
beforeAll(async () => {
  vi.spyOn(console, "log").mockReturnValue();
  models = await mkdtemp(join(tmpdir(), "nearcast-libraries-"));
});
afterAll(() => rm(models, { recursive: true, force: true }));

async function added(one: LibraryCase): Promise<string> {
  await add(one, models);
  await writeFile(join(models, one.name, "release.json"), JSON.stringify({ stable: "1" }));
  return one.name;
}

/** `/openapi.json` describes the members that the answers have. */
async function expectDescribed(name: string, answers: unknown): Promise<void> {
  const { manifest } = await openPackage(models, { name });
  const { output } = createTasks().of(manifest).schema(manifest);
  const [answer = {}] = answers as object[];
  expect((output["required"] as string[]).toSorted()).toEqual(Object.keys(answer).toSorted());
}

describe("answers as the library does", () => {
  test.for(ANSWERED)("$name: $about", async (one) => {
    const model = await added(one);
    for (const runtime of inThisFile(RUNTIMES)) {
      const answer = await openService(models, runtime).predict(model, one.rows);
      expect(answer).toMatchObject({ status: 200 });
      expectLibraryAnswers(one, answer.outputs);
      await expectDescribed(model, answer.outputs);
    }
  });
});

describe("is refused with the reason", () => {
  test.for(CASES.filter(({ refused }) => refused !== undefined))("$name: $about", async (one) => {
    await expect(add(one, models)).rejects.toThrow(one.refused);
  });
});

describe("asks for what the graph does not show", () => {
  test.for(CASES.filter(({ asks }) => asks !== undefined))("$name", async (one) => {
    await expect(add(one, models, [])).rejects.toThrow(one.asks);
  });
});
