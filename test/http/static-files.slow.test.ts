import { expect, onTestFinished, test } from "vitest";
import { targets } from "../harness/targets.ts";
import { checkFiles } from "./check-files.ts";

// On Cloudflare static assets answer, and the edge compresses them.
test("on Lambda, a file of the page is not sent again to who has it", async () => {
  const target = await targets.lambda();
  onTestFinished(() => target.stop());
  await checkFiles(target.fetch);
  expect(target.logs()).not.toContain('"level":"error"');
});
