import type { ServerResponse } from "node:http";
import { serve } from "@hono/node-server";
import { createApp } from "./app.ts";
import { createNodePlatform } from "./platform/node.ts";

const platform = createNodePlatform(process.env);
const server = serve(
  { fetch: createApp(platform).fetch, port: platform.config.port },
  ({ port }) => {
    const url = `http://localhost:${port}`;
    console.log(`Nearcast serves ${platform.config.store} at ${url}

Try it:
  curl ${url}/v1/models/iris/predict -H 'Content-Type: application/json' \\
    -d '{"inputs": {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}}'
`);
  },
);

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    server.close();
    // Else a client that reuses its connection without a pause would keep the process alive.
    server.prependListener("request", (_request: unknown, response: ServerResponse) => {
      response.setHeader("Connection", "close");
    });
  });
