import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Options } from "../functions/app.ts";
import { createTasks, type Tasks } from "../functions/tasks/tasks.ts";

const FILES = ["nearcast.config.ts", "nearcast.config.js"];

let project: Promise<Options> | undefined;

/**
 * The default export of `nearcast.config.ts` in the working directory, which the project's entries import too. Nothing
 * if there is no such file. It is compiled once, however many versions a command opens. Throws an Error that says what
 * is wrong with it.
 */
export function loadProject(): Promise<Options> {
  return (project ??= compileProject(process.cwd()));
}

async function compileProject(folder: string): Promise<Options> {
  const file = FILES.map((name) => join(folder, name)).find((path) => existsSync(path));
  if (file === undefined) return {};
  // It lies beside the project's packages, which it imports by name. Older versions of Node do not read types.
  const cache = resolve(folder, "node_modules/.cache/nearcast");
  const output = join(cache, `config-${process.pid}.mjs`);
  try {
    const { build } = await import("esbuild");
    const { outputFiles } = await build({
      entryPoints: [file],
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: "node20",
      packages: "external",
      logLevel: "silent",
    });
    await mkdir(cache, { recursive: true });
    await writeFile(output, outputFiles[0]?.contents ?? "");
    const { default: options } = (await import(pathToFileURL(output).href)) as {
      default?: Options;
    };
    if (typeof options !== "object")
      throw new Error("it has no default export such as { tasks: [myTask] }");
    return options;
  } catch (cause) {
    throw new Error(`${file} cannot be used: ${(cause as Error).message}`, { cause });
  } finally {
    await rm(output, { force: true });
  }
}

let tasks: Promise<Tasks> | undefined;

/** The built-in tasks and the project's own. */
export function projectTasks(): Promise<Tasks> {
  return (tasks ??= loadProject().then((options) => createTasks(options.tasks)));
}
