import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { expect, onTestFinished, test } from "vitest";
import { nearcast, succeed } from "../cli/nearcast.ts";
import { startNodeServer } from "../harness/node-server.ts";
import { startReceiver } from "../jobs/receiver.ts";
import { INDEXES, triedModels } from "./models.ts";

const SECRET = `whsec_${btoa("b".repeat(32))}`;

test("rollout watch takes a version back from CI, with what a deployment counted, and tells a webhook", async () => {
  const receiver = await startReceiver();
  const { folder, remove } = await triedModels({ stable: "1" });
  onTestFinished(remove);
  const env = { STORE: folder, RELEASE_TTL_SECONDS: "0", ROLLOUT_WATCH_SECONDS: "0" };
  const server = await startNodeServer({ env: { ...env, ACCESS_LOG: "false" } });
  onTestFinished(async () => void (await server.stop()));
  const at = ["--store", folder];
  await succeed(["rollout", "table@bad", "--percent", "50", "--webhook", receiver.url, ...at]);
  for (let index = 0; index < 200; index++)
    await server.fetch("/v1/models/table/predict", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs: [index % INDEXES] }),
    });
  const status = await succeed(["status", "table", "--url", server.url, ...at]);
  expect(status).toMatch(/requests {2}\d+, of which \d+ failed; stable's \d+, of which 0 failed/);
  expect(status).toContain("worse: ");
  const watch = ["rollout", "watch", "table", "--url", server.url, ...at];
  const watched = await nearcast(watch, { env: { WEBHOOK_SECRET: SECRET } });
  expect(watched).toMatchObject({ code: 1 });
  expect(watched.stderr).toMatch(/table@bad was taken back: \d+ of \d+ requests failed/);
  const [told] = receiver.received;
  const headers = told?.headers as Record<string, string>;
  expect(new Webhook(SECRET).verify(told?.body ?? "", headers)).toMatchObject({
    model: "table",
    version: "bad",
  });
  expect(receiver.received).toHaveLength(1);
  expect(await succeed(["history", "table", ...at])).toContain("bad taken back");
  const after = await succeed(["rollout", "watch", "table", "--url", server.url, "--once", ...at]);
  expect(after).toContain("no version on trial");
  // A file that nobody can read is an error, and not the end of the watch.
  await writeFile(join(folder, "table/release.json"), "{");
  const broken = ["rollout", "watch", "table", "--url", server.url, "--every", "1s", "--for", "1s"];
  expect((await nearcast([...broken, ...at])).stderr).toContain("the next one decides");
});
