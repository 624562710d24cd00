import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkModels } from "../../cli/deploy/models.ts";
import type { Findings } from "../../cli/deploy/findings.ts";
import { temporaryFolder } from "./nearcast.ts";

test("a deployment with a region lets versions pass that a Worker does not load", async () => {
  const models = await temporaryFolder();
  await cp("models/iris/1", join(models, "iris/1"), { recursive: true });
  await writeFile(join(models, "iris/release.json"), '{"stable": "1"}');
  const findings: Findings = { problems: [], notes: [] };
  const spillsAbove = { sessionBudgetBytes: 65_572 };
  await checkModels({ models, store: undefined, runtime: "wasm", spillsAbove }, findings);
  expect(findings).toEqual({
    problems: [],
    notes: [
      "iris@1 is too large for the Worker, since its files take 0.1 MiB of 0.1 MiB. SPILL_URL answers it.",
    ],
  });
});
