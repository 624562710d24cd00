import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { projectTool } from "../project-tool.ts";
import { ownModule } from "../own-module.ts";
import type { Backend, DevOptions, Platform, StartOptions } from "./backend.ts";
import { forward } from "./forward.ts";
import { endGroup, startGroup } from "./process.ts";

/** The Worker in workerd through `wrangler dev`, with the models in its local R2. wrangler follows the code itself. */
export async function edgePlatform({ models }: DevOptions): Promise<Platform> {
  const script = projectTool("wrangler");
  return {
    name: "Workers",
    sources: () => [],
    async start(options) {
      await fillLocalBucket(models, options.signal);
      return startWrangler(script, options);
    },
  };
}

async function fillLocalBucket(models: string, signal: AbortSignal): Promise<void> {
  const child = startGroup([ownModule("dev/local-bucket"), models], {
    env: process.env,
    signal,
  });
  let output = "";
  child.stdout.resume();
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`The local R2 bucket could not be filled: ${output.trim()}`);
}

async function startWrangler(script: string, { onEnd, signal }: StartOptions): Promise<Backend> {
  const port = await freePort();
  const vars = ["AUTH:none", "RELEASE_TTL_SECONDS:0"].flatMap((text) => ["--var", text]);
  const child = startGroup(
    [
      script,
      "dev",
      "--ip",
      "127.0.0.1",
      "--port",
      String(port),
      "--inspector-port",
      "0",
      "--show-interactive-dev-session=false",
      ...vars,
    ],
    { env: { ...process.env, WRANGLER_SEND_METRICS: "false" }, signal },
  );
  let stopped = false;
  await new Promise<void>((resolve, reject) => {
    let output = "";
    let started = false;
    const read = (target: NodeJS.WriteStream) => (chunk: Buffer) => {
      if (started) return void target.write(chunk);
      output += chunk.toString();
      if (!/Ready on /.test(output)) return;
      started = true;
      resolve();
    };
    child.stdout.on("data", read(process.stdout));
    child.stderr.on("data", read(process.stderr));
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      const why = `wrangler dev ended with ${signal ?? `code ${code}`}`;
      if (!started) reject(new Error(`The Worker does not start: ${why}.\n${output.trim()}`));
      else if (!stopped) onEnd(why);
    });
  });
  return {
    answer: forward(port),
    async stop() {
      stopped = true;
      await endGroup(child);
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
