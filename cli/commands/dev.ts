import { createServer, type Server } from "node:http";
import { relative, resolve, sep } from "node:path";
import { InvalidArgumentError, Option, type Command } from "commander";
import type { DevOptions, Platform } from "../dev/backend.ts";
import { problemsOfModels } from "../dev/check-models.ts";
import { createService, type Service } from "../dev/service.ts";
import { watch } from "../dev/watch.ts";
import { modelsOption } from "../options.ts";

interface Flags {
  edge?: true;
  lambda?: true;
  entry?: string;
  models: string;
  port: number;
}

/** `nearcast dev`. */
export function devCommand(program: Command): void {
  program
    .command("dev")
    .description("serve the models folder to this machine, and take up what changes")
    .addOption(new Option("--edge", "as a Worker, in workerd").conflicts("lambda"))
    .option("--lambda", "as the Lambda package, under Lambda's runtime interface client")
    .option(
      "--entry <file>",
      "the project's own (default: src/server.ts; with --lambda src/lambda.ts)",
    )
    .addOption(
      new Option("--port <number>", "where to listen")
        .env("PORT")
        .default(8787)
        .argParser(portNumber),
    )
    .addOption(modelsOption())
    .action(async (flags: Flags) => {
      const platform = await openPlatform(flags);
      const service = createService(platform);
      const server = await listen(service, flags.port);
      const ended = untilSignal();
      await printProblems(flags.models);
      await service.restart({ build: true });
      if (service.isUp())
        console.log(
          `${platform.name}: ${flags.models} is served at http://localhost:${flags.port}, to this machine alone and without keys`,
        );
      const watching = watch(
        { folders: [flags.models], files: platform.sources },
        (paths) => takeUp(paths, flags, service),
        ended.signal,
      );
      await ended.promise;
      server.close();
      server.closeAllConnections();
      await service.stop();
      await watching;
    });
}

async function openPlatform({ edge, lambda, entry, models }: Flags): Promise<Platform> {
  const options: DevOptions = { models, entry };
  if (edge) return (await import("../dev/edge.ts")).edgePlatform(options);
  if (lambda) return (await import("../dev/lambda.ts")).lambdaPlatform(options);
  return (await import("../dev/node.ts")).nodePlatform(options);
}

async function takeUp(paths: string[], { models }: Flags, service: Service): Promise<void> {
  const folder = resolve(models) + sep;
  const isModel = (path: string): boolean => path.startsWith(folder);
  const [first = "", ...others] = paths.map((path) => relative("", path));
  console.log(`${first}${others.length > 0 ? ` and ${others.length} more` : ""} changed`);
  if (paths.some(isModel)) await printProblems(models);
  await service.restart({ build: !paths.every(isModel) });
}

async function printProblems(models: string): Promise<void> {
  for (const problem of await problemsOfModels(models)) console.error(problem);
}

async function listen(service: Service, port: number): Promise<Server> {
  const server = createServer((request, response) => void service.answer(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    throw new Error(`Port ${port} is taken. Choose another one: nearcast dev --port <number>`);
  });
  return server;
}

function untilSignal(): { promise: Promise<void>; signal: AbortSignal } {
  const controller = new AbortController();
  const promise = new Promise<void>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(name, () => {
        controller.abort();
        resolve();
      });
  });
  return { promise, signal: controller.signal };
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
    throw new InvalidArgumentError("It is a whole number from 1 to 65535.");
  return port;
}
