import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openPackage } from "../../cli/package-folder.ts";
import { verifyPackage } from "../../cli/verify.ts";
import { targets, type Target } from "../harness/targets.ts";
import { add, ANSWERED, expectLibraryAnswers } from "./library-models.ts";

const LIMIT_MS = 900_000;

let models = "";
beforeAll(async () => {
  vi.spyOn(console, "log").mockReturnValue();
  models = await mkdtemp(join(tmpdir(), "nearcast-libraries-"));
  for (const one of ANSWERED) {
    await add(one, models);
    await writeFile(join(models, one.name, "release.json"), JSON.stringify({ stable: "1" }));
  }
}, LIMIT_MS);
afterAll(() => rm(models, { recursive: true, force: true }));

describe("verifies on both runtimes", () => {
  test.for(ANSWERED)("$name", async ({ name }) => {
    const local = await openPackage(models, { name });
    const { recorded } = await verifyPackage(local, {
      runtimes: ["native", "wasm"],
      tolerance: 1e-4,
      record: true,
    });
    expect(recorded?.length).toBeGreaterThan(0);
  });
});

describe.for(Object.entries(targets))("%s answers as the libraries do", ([, start]) => {
  let target: Target;
  beforeAll(async () => void (target = await start({ models })), LIMIT_MS);
  afterAll(() => target.stop());

  test.for(ANSWERED)("$name", async (one) => {
    const response = await target.fetch(`/v1/models/${one.name}/predict`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs: one.rows }),
    });
    expect(response.status).toBe(200);
    expectLibraryAnswers(one, ((await response.json()) as { outputs: unknown }).outputs);
  });
});
