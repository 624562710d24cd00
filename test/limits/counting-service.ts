import { join } from "node:path";
import { createApp } from "../../functions/app.ts";
import type { CallRecord } from "../../functions/call.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import type { Tensors } from "../../functions/tensor.ts";

const MODELS = join(import.meta.dirname, "../../models");

/** The service in this process, which notes every run of a model, every record and every line of the log. */
export function openService(env: Record<string, string> = {}, store = MODELS) {
  const runs: Tensors[] = [];
  const calls: CallRecord[] = [];
  const logs: Record<string, unknown>[] = [];
  const platform = createNodePlatform({ STORE: store, ...env });
  const service = createService(
    {
      ...platform,
      clientAddress: () => "192.0.2.1",
      log: (entry) => void logs.push(entry),
      async runtime() {
        const runtime = await platform.runtime();
        return {
          ...runtime,
          async load(...source) {
            const session = await runtime.load(...source);
            return {
              ...session,
              run(feeds, ...rest) {
                runs.push(feeds);
                return session.run(feeds, ...rest);
              },
            };
          },
        };
      },
    },
    { observers: [{ call: (record) => void calls.push(record) }] },
  );
  const app = createApp(service);

  async function ask(
    path: string,
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ) {
    const answer = await app.request(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body,
    });
    const isJson = /json/.test(answer.headers.get("content-type") ?? "");
    const parsed = isJson ? ((await answer.json()) as Record<string, unknown>) : {};
    return { status: answer.status, headers: answer.headers, body: parsed };
  }

  return { app, ask, service, runs, calls, logs };
}
