import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI, { toFile } from "openai";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";

type Ask = (path: string, init?: RequestInit) => Promise<Response>;

/** OpenAI's own client for an app in this process. */
export function clientOf(ask: Ask, apiKey = "none"): OpenAI {
  return new OpenAI({
    apiKey,
    baseURL: "http://models.test/v1",
    maxRetries: 0,
    fetch: (url, init) => {
      const { pathname, search } = new URL(url instanceof Request ? url.url : url);
      return ask(pathname + search, init);
    },
  });
}

/** A server whose jobs lie in a file of its own, and OpenAI's own client for it. */
export async function startOpenaiServer(env: Record<string, string> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-openai-"));
  const places = { JOBS_FILE: join(folder, "jobs.sqlite"), ACCESS_LOG: "false" };
  const start = () => startNodeServer({ env: { ...places, ...env } });
  let server: NodeServer = await start();
  return {
    fetch: (path: string, init?: RequestInit) => server.fetch(path, init),
    client: () => new OpenAI({ apiKey: "none", baseURL: `${server.url}/v1`, maxRetries: 0 }),
    /** Kills it, and starts another one that goes on. */
    async killed(): Promise<void> {
      process.kill(server.pid, "SIGKILL");
      await server.stop();
      server = await start();
    },
    async stop(): Promise<void> {
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}

export type OpenaiServer = Awaited<ReturnType<typeof startOpenaiServer>>;

/** Uploads lines, each as JSON unless it is a text. */
export async function upload(
  client: OpenAI,
  lines: readonly unknown[],
  options: { name?: string; expires_after?: { anchor: "created_at"; seconds: number } } = {},
) {
  const { name = "in.jsonl", ...rest } = options;
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
  const file = await toFile(new TextEncoder().encode(`${text.join("\n")}\n`), name);
  return client.files.create({ file, purpose: "batch", ...rest });
}

/** Has lines answered as a batch of `/v1/embeddings`. Gives the batch at its end, and the file of the lines. */
export async function answeredBatch(client: OpenAI, lines: readonly unknown[]) {
  const input = await upload(client, lines);
  let batch = await client.batches.create({
    input_file_id: input.id,
    endpoint: "/v1/embeddings",
    completion_window: "24h",
  });
  while (["validating", "in_progress", "finalizing"].includes(batch.status)) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    batch = await client.batches.retrieve(batch.id);
  }
  return { input, batch };
}
