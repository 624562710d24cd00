import { expect, onTestFinished, test } from "vitest";
import { startOpenaiServer, upload } from "../files/client.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

test.runIf(hasSqlite)("others are answered while a file of 50,000 lines is checked", async () => {
  const server = await startOpenaiServer();
  onTestFinished(() => server.stop());
  const client = server.client();
  const lines = Array.from({ length: 50_000 }, (_, row) => ({
    custom_id: String(row),
    method: "POST",
    url: "/v1/embeddings",
    body: { model: "search", input: `text ${row}` },
  }));
  const file = await upload(client, lines);
  const asked = { input_file_id: file.id, endpoint: "/v1/embeddings" } as const;
  const { id } = await client.batches.create({ ...asked, completion_window: "24h" });
  let answers = 0;
  let { status } = await client.batches.retrieve(id);
  while (status === "validating") {
    expect((await server.fetch("/health")).status).toBe(200);
    answers += 1;
    ({ status } = await client.batches.retrieve(id));
  }
  expect(status).toBe("in_progress");
  expect(answers).toBeGreaterThan(20);
  expect((await client.batches.retrieve(id)).request_counts?.total).toBe(50_000);
  await client.batches.cancel(id);
});
