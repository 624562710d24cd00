import { serve } from "@hono/node-server";
import { createService } from "nearcast";
import { boundedServer, createNodePlatform } from "nearcast/node";
import { createShop } from "./shop.ts";

const platform = createNodePlatform(process.env);
const { fetch } = createShop(createService(platform));
const { host: hostname, port } = platform.config;
serve({ fetch, hostname, port, createServer: boundedServer(platform.config) }, (info) => {
  console.log(`The shop is open at http://localhost:${info.port}`);
});
