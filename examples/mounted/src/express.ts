import type { RequestListener } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { createApp, type Service } from "nearcast";

/** Adds the models to an Express app, below `/ml`. Call it before `express.json()`, which would read the bodies. */
export function addModels(
  app: { use(path: string, listener: RequestListener): unknown },
  service: Service,
): void {
  app.use("/ml", getRequestListener(createApp(service).fetch));
}
