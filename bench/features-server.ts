// A Node server that looks features up in its own memory.
import { serve } from "@hono/node-server";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createApp } from "../functions/app.ts";
import { boundedServer, createNodePlatform } from "../functions/node.ts";
import { createService } from "../functions/service.ts";
import { countedSource } from "./features-models.ts";

const platform = createNodePlatform(process.env);
const { fetch } = createApp(createService(platform, { sources: [await countedSource()] }));
const createServer = boundedServer(platform.config);
const server = serve({ fetch, hostname: "127.0.0.1", port: 0, createServer }) as Server;
server.once("listening", () =>
  console.log(`http://localhost:${(server.address() as AddressInfo).port}`),
);
process.once("SIGTERM", () => process.exit(0));
