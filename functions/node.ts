import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createAdaptorServer } from "@hono/node-server";
import { createApp, type Options } from "./app.ts";
import { boundedServer } from "./platform/bounded-server.ts";
import { createGrpcServer } from "./platform/grpc-server.ts";
import { endServer } from "./platform/end-server.ts";
import { createNodePlatform } from "./platform/node.ts";
import {
  checkStoreFolder,
  describeStart,
  explainStartFailure,
  isFolder,
  releasedExample,
  urlOf,
} from "./platform/node-start.ts";
import { createService } from "./service.ts";

export { boundedServer, createNodePlatform };

/**
 * So many connections may wait to be accepted, if the system allows it. Of more than Node's 511 at once, Linux drops the rest, and
 * each tries again only after one second, then three, then seven.
 */
const BACKLOG = 4096;

/**
 * The whole service as a server in this process, until SIGINT or SIGTERM. When it cannot start, it prints the reason in
 * one line and ends the process with code 1.
 *
 * @example await serve();
 */
export async function serve(options: Options = {}): Promise<void> {
  try {
    await start(options);
  } catch (error) {
    process.stderr.write(`${explainStartFailure(error)}\n`);
    process.exit(1);
  }
}

async function start(options: Options): Promise<void> {
  const platform = createNodePlatform(process.env);
  const { auth, grpcPort, host, port, requestTimeoutMs, rolloutWatchMs, shutdownGraceMs, store } =
    platform.config;
  await checkStoreFolder(store);
  const service = createService(platform, options);
  const app = createApp(service, options);
  const server = createAdaptorServer({
    // So that the body can be read from the connection, unless an app around this one has made another request.
    fetch: (request, bindings) => app.fetch(request, Object.assign(bindings, { request })),
    hostname: host,
    createServer: boundedServer(platform.config),
  }) as Server;
  server.listen({ port, host, backlog: BACKLOG });
  const grpc =
    grpcPort === undefined
      ? undefined
      : createGrpcServer(platform.config, (request, bindings) => app.fetch(request, bindings));
  if (rolloutWatchMs > 0) {
    const timer = setInterval(() => void service.rollouts.lookAtKnown(), rolloutWatchMs);
    server.once("close", () => clearInterval(timer));
  }
  // With the last answer sent, nothing else is counted.
  const servers = [server, ...(grpc ? [grpc.server] : [])];
  const closed = servers.map((one) => new Promise((resolve) => one.once("close", resolve)));
  void Promise.all(closed).then(() =>
    Promise.all([platform.counters.flush(), service.flushCaptured()]),
  );
  const end = () => {
    void service.jobs?.end();
    return Promise.all([endServer(server, requestTimeoutMs), grpc?.end(requestTimeoutMs)]);
  };
  // Ctrl-C does not wait for load balancers. A second signal ends the wait.
  process.once("SIGINT", () => void end());
  process.once("SIGTERM", async () => {
    const waits = service.announceEnd();
    if (waits) await sleep(shutdownGraceMs, undefined, { ref: false });
    await end();
  });
  await once(server, "listening");
  grpc?.server.listen(grpcPort, host);
  if (grpc) await once(grpc.server, "listening");
  for (const one of [server, grpc?.server])
    // Such as a lack of file descriptors. Open connections go on.
    one?.on("error", (error: Error) => platform.log({ level: "error", message: error.message }));
  const url = urlOf(host, (server.address() as AddressInfo).port);
  // Only for a folder. From a bucket, the service reads manifests only when they are asked for.
  const shown = isFolder(store) ? await releasedExample(platform.store, service.tasks) : undefined;
  const address = grpc?.server.address() as AddressInfo | undefined;
  const grpcUrl = address && urlOf(host, address.port).replace("http", "grpc");
  console.log(describeStart({ store, url, grpcUrl, auth, host, models: shown ? [shown] : [] }));
}
