import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { post } from "../dialects/platforms.ts";
import { targets, type Target } from "../harness/targets.ts";
import { add, CASES, expected } from "./several-numbers.ts";

let models = "";
beforeAll(async () => {
  vi.spyOn(console, "log").mockReturnValue();
  models = await mkdtemp(join(tmpdir(), "nearcast-several-"));
  for (const one of CASES) {
    await add(one, models);
    await writeFile(join(models, one.name, "release.json"), JSON.stringify({ stable: "1" }));
  }
}, 120_000);
afterAll(() => rm(models, { recursive: true, force: true }));

describe.for(Object.entries(targets))(
  "on %s 200 rows are answered as scikit-learn does",
  ([, start]) => {
    let target: Target;
    beforeAll(async () => void (target = await start({ models })), 120_000);
    afterAll(() => target?.stop());

    test.for(CASES)("$name", async (one) => {
      const { body } = await post(target, `/v1/models/${one.name}/predict`, { inputs: one.rows });
      expect(body["outputs"]).toEqual(one.rows.map((_, row) => expected(one, row)));
    });
  },
);
