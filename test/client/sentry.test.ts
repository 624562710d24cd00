import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { refusal, startStubService } from "./stub-service.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const TRACE = "0af7651916cd43dd8448eb211c80319c";

const FAIL = `
const traceparent = "00-${TRACE}-b7ad6b7169203331-01";
await client.predict("iris", [1], { traceparent }).catch(() => {});
await Sentry.flush(10_000);
process.exit(0); // Sentry's timers would keep it.
`;

/** What Sentry's SDK sends, in place of Sentry. */
async function startSentry() {
  const envelopes: string[] = [];
  const server = createServer(async (request, response) => {
    envelopes.push(Buffer.concat(await request.toArray()).toString());
    response.end("{}");
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return { envelopes, dsn: `http://public@127.0.0.1:${(server.address() as AddressInfo).port}/1` };
}

test("the example of docs/clients.md sends Sentry the error with its ids", async () => {
  const docs = await readFile(join(root, "docs/clients.md"), "utf8");
  const [, example = ""] = /```\n(import \* as Sentry[^]*?)```/.exec(docs) ?? [];
  const { envelopes, dsn } = await startSentry();
  const service = await startStubService();
  onTestFinished(service.stop);
  service.answers = [refusal(503, "overloaded")];
  // Below the repository, so that the example finds its packages.
  await mkdir(join(root, ".cache"), { recursive: true });
  const folder = await mkdtemp(join(root, ".cache/sentry-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const code = example
    .replace("https://public@sentry.example.com/1", dsn)
    .replace("https://models.example.com", service.url);
  await writeFile(join(folder, "example.mjs"), code + FAIL);
  await run(process.execPath, [join(folder, "example.mjs")], { timeout: 60_000 });
  const events = envelopes
    .flatMap((envelope) => envelope.split("\n"))
    .filter((line) => line.startsWith('{"exception"'))
    .map((line) => JSON.parse(line) as object);
  expect(events).toEqual([
    expect.objectContaining({
      tags: { code: "overloaded", request_id: "id-1", trace_id: TRACE },
      exception: {
        values: [expect.objectContaining({ type: "NearcastClientError" })],
      },
    }),
  ]);
});
