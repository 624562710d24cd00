import OpenAI, { toFile } from "openai";

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
