import { expect, onTestFinished, test } from "vitest";
import { answeredBatch, clientOf } from "../files/client.ts";
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
  const { batch } = await answeredBatch(client, lines);
  expect(batch).toMatchObject({ status: "completed", request_counts: { total: 2, completed: 2 } });
  const text = await (await client.files.content(batch.output_file_id ?? "")).text();
  const ids = text.trimEnd().split("\n");
  expect(ids.map((one) => (JSON.parse(one) as { custom_id: string }).custom_id)).toEqual([
    "candle",
    "lamp",
  ]);
});
