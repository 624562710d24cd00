import { onTestFinished, test } from "vitest";
import { targets } from "../harness/targets.ts";
import { checkFiles } from "./check-files.ts";

// The other platforms have it in static-files.slow.test.ts.
test("on Node, a file of the page is not sent again to who has it, and compressed where it may be", async () => {
  const target = await targets.node();
  onTestFinished(() => target.stop());
  await checkFiles(target.fetch);
});
