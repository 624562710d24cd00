import type OpenAI from "openai";
import { expect, onTestFinished, test } from "vitest";
import { startOpenaiServer, upload } from "../files/client.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

const ROWS = 1500;
const bodyOf = (row: number) => ({ model: "search", input: row % 500 === 7 ? 7 : `text ${row}` });

test.runIf(hasSqlite)(
  "a batch of OpenAI's whose server is killed on the way has every answer once, in order",
  async () => {
    const server = await startOpenaiServer();
    onTestFinished(() => server.stop());
    const lines = Array.from({ length: ROWS }, (_, row) => ({
      custom_id: String(row),
      method: "POST",
      url: "/v1/embeddings",
      body: bodyOf(row),
    }));
    const file = await upload(server.client(), lines);
    const { id } = await server.client().batches.create({
      input_file_id: file.id,
      endpoint: "/v1/embeddings",
      completion_window: "24h",
    });
    const until = async (isThere: (batch: OpenAI.Batch) => boolean) => {
      for (;;) {
        const batch = await server.client().batches.retrieve(id);
        if (isThere(batch)) return batch;
        expect(["validating", "in_progress", "finalizing"]).toContain(batch.status);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    for (const least of [0, 200]) {
      await until(({ request_counts: counts }) => (counts?.completed ?? 0) >= least);
      await server.killed();
    }
    const batch = await until(({ status }) => status === "completed");
    expect(batch.request_counts).toEqual({ total: ROWS, completed: ROWS - 3, failed: 3 });
    const client = server.client();
    const idsIn = async (made: string | undefined) =>
      (await (await client.files.content(made ?? "")).text())
        .trimEnd()
        .split("\n")
        .map((one) => Number((JSON.parse(one) as { custom_id: string }).custom_id));
    const failed = [7, 507, 1007];
    expect(await idsIn(batch.error_file_id)).toEqual(failed);
    expect(await idsIn(batch.output_file_id)).toEqual(
      lines.map((_, row) => row).filter((row) => !failed.includes(row)),
    );
  },
);
