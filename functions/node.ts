import type { Server } from "node:http";
import { serve as listen } from "@hono/node-server";
import { createApp, type Options } from "./app.ts";
import { isLoopback } from "./auth/settings.ts";
import { endServer } from "./platform/end-server.ts";
import { createNodePlatform } from "./platform/node.ts";
import type { Platform } from "./platform/types.ts";
import { createService } from "./service.ts";

export { createNodePlatform };

/**
 * The whole service as a server of this process, until SIGINT or SIGTERM.
 *
 * @example await serve();
 */
export async function serve(options: Options = {}): Promise<void> {
  const platform = createNodePlatform(process.env);
  const { host, port, requestTimeoutMs } = platform.config;
  const { fetch } = createApp(createService(platform, options), options);
  const server = listen({ fetch, hostname: host, port }, ({ port }) =>
    console.log(describeStart(platform, port)),
  ) as Server;
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void endServer(server, requestTimeoutMs));
}

function describeStart({ config }: Platform, port: number): string {
  const url = `http://localhost:${port}`;
  return `Nearcast serves ${config.store} at ${url}
${admission(config)}

Try it:
  curl ${url}/v1/models/iris/predict -H 'Content-Type: application/json' \\
    -d '{"inputs": {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}}'
`;
}

/** Who gets in, in words. */
function admission({ auth, host }: Platform["config"]): string {
  if (auth.mode === "required") return "It asks for a key or token.";
  if (auth.mode === "closed")
    return `It listens on ${host} and answers nothing but health: set API_KEYS, or JWT_ISSUER and JWT_AUDIENCE, or AUTH=none to let everyone in.`;
  return isLoopback(host)
    ? "It is open, and only this machine can ask: HOST=0.0.0.0 listens everywhere."
    : `It is open to everyone who reaches ${host}: AUTH=none.`;
}
