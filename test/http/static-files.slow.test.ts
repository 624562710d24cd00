import { expect, onTestFinished, test } from "vitest";
import { targets } from "../harness/targets.ts";
import { checkFiles } from "./check-files.ts";

test("on Lambda, a file of the page is not sent again to who has it", async () => {
  const target = await targets.lambda();
  onTestFinished(() => target.stop());
  await checkFiles(target.fetch);
  expect(target.logs()).not.toContain('"level":"error"');
});

// There static assets answer, and the edge compresses them.
test("on a Worker, a file of the page is not sent again to who has it", async () => {
  const target = await targets.worker();
  onTestFinished(() => target.stop());
  const path = "/docs/swagger-ui-bundle.js";
  const whole = await target.fetch(path);
  const etag = whole.headers.get("etag") ?? "";
  expect([whole.status, etag]).toEqual([200, expect.stringMatching(/^(W\/)?"[^"]+"$/)]);
  expect((await whole.text()).length).toBeGreaterThan(1_000_000);
  const known = await target.fetch(path, { headers: { "If-None-Match": etag } });
  expect([known.status, await known.text()]).toEqual([304, ""]);
});
