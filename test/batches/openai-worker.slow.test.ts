import { expect, onTestFinished, test } from "vitest";
import { clientOf, upload } from "../files/client.ts";
import { targets } from "../harness/targets.ts";

test("the official client's batch is answered by a Worker with its queue", async () => {
  const worker = await targets.worker({ queues: true });
  onTestFinished(() => worker.stop());
  const client = clientOf(worker.fetch);
  const lines = ["candle", "lamp"].map((input) => ({
    custom_id: input,
    method: "POST",
    url: "/v1/embeddings",
    body: { model: "search", input },
  }));
  const file = await upload(client, lines);
  let batch = await client.batches.create({
    input_file_id: file.id,
    endpoint: "/v1/embeddings",
    completion_window: "24h",
  });
  while (["validating", "in_progress", "finalizing"].includes(batch.status)) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    batch = await client.batches.retrieve(batch.id);
  }
  expect(batch).toMatchObject({ status: "completed", request_counts: { total: 2, completed: 2 } });
  const text = await (await client.files.content(batch.output_file_id ?? "")).text();
  const ids = text.trimEnd().split("\n");
  expect(ids.map((one) => (JSON.parse(one) as { custom_id: string }).custom_id)).toEqual([
    "candle",
    "lamp",
  ]);
});
