import type { Server } from "node:http";
import { serve as listen } from "@hono/node-server";
import { createApp } from "./app.ts";
import { isLoopback } from "./auth/settings.ts";
import type { Config } from "./config.ts";
import { endServer } from "./platform/end-server.ts";
import { createNodePlatform } from "./platform/node.ts";

export { createNodePlatform } from "./platform/node.ts";

/** Serves on Node with what the environment says, until the process is told to end. */
export async function serve(): Promise<void> {
  const platform = createNodePlatform(process.env);
  const { host, port, requestTimeoutMs, store } = platform.config;
  const app = createApp(platform);
  const server = listen({ fetch: app.fetch, hostname: host, port }, ({ port }) => {
    const url = `http://localhost:${port}`;
    console.log(`Nearcast serves ${store} at ${url}
${admission(platform.config)}

Try it:
  curl ${url}/v1/models/iris/predict -H 'Content-Type: application/json' \\
    -d '{"inputs": {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}}'
`);
  }) as Server;
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void endServer(server, requestTimeoutMs));
}

/** Who gets in, in words. */
function admission({ auth, host }: Config): string {
  if (auth.mode === "required") return "It asks for a key or token.";
  if (auth.mode === "closed")
    return `It listens on ${host} and answers nothing but health: set API_KEYS, or JWT_ISSUER and JWT_AUDIENCE, or AUTH=none to let everyone in.`;
  return isLoopback(host)
    ? "It is open, and only this machine can ask: HOST=0.0.0.0 listens everywhere."
    : `It is open to everyone who reaches ${host}: AUTH=none.`;
}
