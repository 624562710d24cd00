import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { targets, type Target } from "../harness/targets.ts";
import { startJobsOnLambda } from "../jobs/started-lambda.ts";
import { openDoor } from "./door.ts";
import { findPython } from "./tools.ts";

const python = findPython();
const LIMIT_MS = 180_000;

/** Each with a queue, which works. */
const PLATFORMS: Record<string, () => Promise<Target>> = {
  async node() {
    const target = await targets.node();
    onTestFinished(() => target.stop());
    return target;
  },
  async worker() {
    const target = await targets.worker({ queues: true });
    onTestFinished(() => target.stop());
    return target;
  },
  async lambda() {
    const { target, work } = await startJobsOnLambda();
    work();
    return target;
  },
};

describe.skipIf(!python)("OpenAI's client for Python", () => {
  test.for(Object.entries(PLATFORMS))(
    "has its batches answered: %s",
    { timeout: LIMIT_MS },
    async ([, start]) => {
      const door = await openDoor(await start());
      onTestFinished(() => door.close());
      const script = join(import.meta.dirname, "openai_batch_client.py");
      const { stdout } = await promisify(execFile)(python ?? "", [script, door.url]);
      expect(stdout).toContain("all answered");
    },
  );
});
