import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { serve } from "@hono/node-server";
import { unzipSync } from "fflate";
import { startLambda, type Lambda } from "../../cli/local/lambda.ts";

export interface DeployedFunction {
  /** Where it answers, whichever one it is. */
  url: string;
  /** Unpacks and starts another one in its place, under Lambda's runtime interface client. */
  replace: (next: {
    zip: Uint8Array;
    handler: string;
    env: Record<string, string>;
  }) => Promise<void>;
  /** Ends it. 503 is answered without one. */
  end: () => Promise<void>;
  stop: () => Promise<void>;
}

/** The place of a function behind an HTTP API. */
export async function startFunctionPlace(): Promise<DeployedFunction> {
  let running: { lambda: Lambda; folder: string } | undefined;
  const server = serve({
    async fetch(request) {
      if (!running) return new Response("{}", { status: 503 });
      const { pathname, search } = new URL(request.url);
      const { method, headers } = request;
      const body = method === "GET" ? {} : { body: await request.text() };
      return running.lambda.fetch(`${pathname}${search}`, { method, headers, ...body });
    },
    port: 0,
    hostname: "127.0.0.1",
  }) as Server;
  if (!server.listening) await once(server, "listening");
  async function end(): Promise<void> {
    await running?.lambda.stop();
    if (running) await rm(running.folder, { recursive: true });
    running = undefined;
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async replace({ zip, handler, env }) {
      await end();
      const folder = await mkdtemp(join(tmpdir(), "nearcast-function-"));
      await unpack(zip, folder);
      const own = { ...env, TMPDIR: folder };
      running = { lambda: await startLambda({ directory: folder, handler, env: own }), folder };
    },
    end,
    async stop() {
      await end();
      server.close();
    },
  };
}

async function unpack(zip: Uint8Array, folder: string): Promise<void> {
  for (const [name, bytes] of Object.entries(unzipSync(new Uint8Array(zip)))) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
}
