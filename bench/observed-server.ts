// A server of this repository as it is, or, with OBSERVERS=off, one that neither counts nor follows anything.
import { serve } from "@hono/node-server";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createApp } from "../functions/app.ts";
import { boundedServer, createNodePlatform } from "../functions/node.ts";
import { createCharge } from "../functions/limits/charge.ts";
import { createPredict } from "../functions/predict.ts";
import { createCachedRuns } from "../functions/prediction-cache/cached-runs.ts";
import { createService } from "../functions/service.ts";

const { OBSERVERS, ...env } = process.env;
const platform = createNodePlatform(env);
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
const app = createApp(OBSERVERS === "off" ? { ...service, predict, observer: {} } : service);
const createServer = boundedServer(platform.config);
const options = { fetch: app.fetch, hostname: "127.0.0.1", port: 0, createServer };
const server = serve(options) as Server;
server.once("listening", () =>
  console.log(`http://localhost:${(server.address() as AddressInfo).port}`),
);
process.once("SIGTERM", () => process.exit(0));
