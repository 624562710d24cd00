import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { createApp } from "./app.ts";
import { endServer } from "./platform/end-server.ts";
import { createNodePlatform } from "./platform/node.ts";
import {
  checkStoreFolder,
  describeStart,
  explainStartFailure,
  isFolder,
  releasedManifests,
  urlOf,
} from "./platform/node-start.ts";

try {
  await start();
} catch (error) {
  process.stderr.write(`${explainStartFailure(error)}\n`);
  process.exit(1);
}

async function start(): Promise<void> {
  const platform = createNodePlatform(process.env);
  const { auth, host, port, requestTimeoutMs, store } = platform.config;
  await checkStoreFolder(store);
  const server = serve({ fetch: createApp(platform).fetch, hostname: host, port }) as Server;
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void endServer(server, requestTimeoutMs));
  await once(server, "listening");
  const url = urlOf(host, (server.address() as AddressInfo).port);
  // From a bucket the service reads them once, when they are asked for.
  const models = isFolder(store) ? await releasedManifests(platform.store) : [];
  console.log(describeStart({ store, url, auth, host, models }));
}
