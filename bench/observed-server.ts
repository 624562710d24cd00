// A server of this repository as it is, and at its second address one that neither counts nor follows anything. Both are in
// one process, with the same sessions.
import { serve } from "@hono/node-server";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createApp } from "../functions/app.ts";
import { boundedServer, createNodePlatform } from "../functions/node.ts";
import { createCharge } from "../functions/limits/charge.ts";
import { createPredict } from "../functions/predict.ts";
import { createCachedRuns } from "../functions/prediction-cache/cached-runs.ts";
import { createService } from "../functions/service.ts";

const platform = createNodePlatform(process.env);
const service = createService(platform);
const { resolve, sessions, turns } = service;
const predict = createPredict({
  resolve,
  sessions,
  turns,
  timeoutMs: platform.config.requestTimeoutMs,
  now: platform.now,
  tell: undefined,
  charge: createCharge(platform),
  cachedRuns: createCachedRuns(platform),
});
const counted = await listen(createApp(service));
const uncounted = await listen(createApp({ ...service, predict, observer: {} }));
console.log(`${counted} ${uncounted}`);
process.once("SIGTERM", () => process.exit(0));

function listen(app: ReturnType<typeof createApp>): Promise<string> {
  const server = serve({
    // As functions/node.ts does.
    fetch: (request, bindings) => app.fetch(request, Object.assign(bindings, { request })),
    hostname: "127.0.0.1",
    port: 0,
    createServer: boundedServer(platform.config),
  }) as Server;
  return new Promise((resolve) => {
    server.once("listening", () =>
      resolve(`http://localhost:${(server.address() as AddressInfo).port}`),
    );
  });
}
