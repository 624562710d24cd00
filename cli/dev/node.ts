import { join } from "node:path";
import { nodeBuildOptions } from "../build/node.ts";
import { findEntry } from "../entry.ts";
import type { Backend, DevOptions, Platform, StartOptions } from "./backend.ts";
import { startBackend } from "./start-backend.ts";
import { sourcesOf } from "../build/sources.ts";

/** Variables that would close the service, or open it to other machines. */
const REPLACED = ["API_KEYS", "JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS_URL", "TRUST_PROXY"];

/** Runs the project's server in a process of its own. */
export async function nodePlatform({ models, entry }: DevOptions): Promise<Platform> {
  const file = await findEntry("server", entry);
  // Two folders take turns: the process that still answers may import more of its own build.
  let builds = 0;
  let output = "";
  let sources: readonly string[] = [file];
  return {
    name: "Node",
    sources: () => sources,
    async build() {
      const { build } = await import("esbuild");
      const folder = join("dist/dev", `node-${builds % 2}`);
      const options = nodeBuildOptions({ entry: file, output: folder });
      const { metafile } = await build({ ...options, sourcemap: true, metafile: true });
      sources = sourcesOf(metafile);
      builds += 1;
      output = folder;
    },
    start: (options) => startServer(output, models, options),
  };
}

function startServer(output: string, models: string, options: StartOptions): Promise<Backend> {
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const name of REPLACED) delete env[name];
  Object.assign(env, {
    STORE: models,
    HOST: "127.0.0.1",
    PORT: "0",
    AUTH: "none",
    // A release shows at once.
    RELEASE_TTL_SECONDS: "0",
  });
  return startBackend({
    ...options,
    args: ["--enable-source-maps", join(output, "server.mjs")],
    env,
    program: "it",
    portIn(printed) {
      // Wait for the whole line: a port can arrive in two pieces.
      const found = /http:\/\/localhost:(\d+)\b.*\n/.exec(printed)?.[1];
      return found === undefined ? undefined : Number(found);
    },
    holdErrors: false,
    failure: (why) => `The service does not start: ${why}.`,
  });
}
