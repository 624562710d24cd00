import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { textModels, TEXTS_ENV } from "../dialects/texts.ts";
import { targets } from "../harness/targets.ts";
import { openDoor } from "./door.ts";
import { findTextsPython, MAKE_TEXTS_VENV } from "./tools.ts";

const python = findTextsPython();
if (!python)
  console.log(`Python's clients of Cohere and Hugging Face are skipped. ${MAKE_TEXTS_VENV}`);

describe.skipIf(!python)("Cohere's and Hugging Face's clients in Python", () => {
  let models: string;
  beforeAll(async () => void (models = await textModels()));
  afterAll(() => rm(models, { recursive: true }));

  test.each(["node", "worker", "lambda"] as const)("on %s are answered all", async (platform) => {
    const target = await targets[platform]({ models, env: TEXTS_ENV });
    const door = await openDoor(target);
    try {
      const script = join(import.meta.dirname, "texts_clients.py");
      const { stdout } = await promisify(execFile)(python ?? "", [script, door.url]);
      expect(stdout).toContain("all answered");
    } finally {
      door.close();
      await target.stop();
    }
  });
});
