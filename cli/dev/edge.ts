import { once } from "node:events";
import { freePort } from "../free-port.ts";
import { projectTool } from "../project-tool.ts";
import { ownModule } from "../own-module.ts";
import type { Backend, DevOptions, Platform, StartOptions } from "./backend.ts";
import { startGroup } from "./process.ts";
import { startBackend } from "./start-backend.ts";

/** Runs the Worker in workerd with `wrangler dev`, with the models in its local R2. wrangler itself watches the code. */
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

async function startWrangler(script: string, options: StartOptions): Promise<Backend> {
  const port = await freePort();
  const vars = ["AUTH:none", "RELEASE_TTL_SECONDS:0"].flatMap((text) => ["--var", text]);
  return startBackend({
    ...options,
    args: [
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
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
    program: "wrangler dev",
    portIn: (output) => (/Ready on /.test(output) ? port : undefined),
    holdErrors: true,
    failure: (why, output) => `The Worker does not start: ${why}.\n${output.trim()}`,
  });
}
