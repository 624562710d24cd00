import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { createAnticipation } from "../../functions/model/anticipation.ts";
import type { Sessions } from "../../functions/model/sessions.ts";
import { createTasks } from "../../functions/tasks/tasks.ts";

const iris = await readFile(join(import.meta.dirname, "../../models/iris/1/model.json"), "utf8");
const tasks = createTasks();

test("the session of a model that was brought along is loaded once, and left to its calls", async () => {
  const end = vi.fn();
  const acquire = vi.fn(async () => ({ session: {} as never, end }));
  const sessions = { acquire } as unknown as Sessions;
  const anticipate = createAnticipation(
    { anticipated: new Map([["iris", iris]]) },
    tasks,
    sessions,
  );
  for (const model of ["search", "iris", "iris"]) anticipate?.(model);
  await vi.waitFor(() => expect(end).toHaveBeenCalledOnce(), 30_000);
  expect(acquire).toHaveBeenCalledOnce();
});

test("one that cannot be loaded fails for its calls only", async () => {
  const sessions = {
    acquire: () => Promise.reject(new Error("damaged")),
  } as unknown as Sessions;
  createAnticipation({ anticipated: new Map([["iris", iris]]) }, tasks, sessions)?.("iris");
  await new Promise(setImmediate);
});

test("nothing is prepared where no model was brought along", () => {
  expect(createAnticipation({}, tasks, {} as Sessions)).toBeUndefined();
});
