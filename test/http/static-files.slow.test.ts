import { expect, onTestFinished, test } from "vitest";
import { targets } from "../harness/targets.ts";
import { checkFiles } from "./check-files.ts";

test.each(["worker", "lambda"] as const)(
  "on %s, a file of the page is not sent again to who has it, and compressed where it may be",
  async (name) => {
    const target = await targets[name]();
    onTestFinished(() => target.stop());
    await checkFiles(target.fetch);
    expect(target.logs()).not.toContain('"level":"error"');
  },
);
