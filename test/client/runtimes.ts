import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { node20 } from "../harness/node-20.ts";
import { startWorker } from "../harness/worker.ts";
import type { Asked } from "./everywhere.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

/** Asks everything in one runtime, from a bundle that has the packed client. */
export type Ask = (project: string, asked: Asked) => Promise<unknown>;

const PROCESS = `
  import { askEverything } from "./everywhere.ts";
  console.log(JSON.stringify(await askEverything(JSON.parse(process.argv[2]))));
`;
const WORKER = `
  import { askEverything } from "./everywhere.ts";
  export default {
    async fetch(request) {
      return Response.json(await askEverything(await request.json()));
    },
  };
`;

/** A program of npm's that CI keeps in `.cache`, or that is on the PATH. */
function found(name: string): string | undefined {
  const folders = [join(root, `.cache/${name}/node_modules/.bin`)];
  const file = [...folders, ...(process.env["PATH"] ?? "").split(delimiter)]
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
  if (!file) console.log(`There is no ${name}: the client is not tested with it.`);
  return file;
}

/** Each runtime that is here, with what asks in it. */
export function runtimes(): [name: string, ask: Ask][] {
  const programs: [name: string, file: string | undefined, args: string[]][] = [
    ["node-24", process.execPath, []],
    ["node-20", node20, []],
    ["deno", found("deno"), ["run", "--quiet", "--no-prompt", "--allow-net", "--no-config"]],
    ["bun", found("bun"), []],
  ];
  return [
    ...programs.flatMap(([name, file, args]) =>
      file === undefined ? [] : [[name, inProcess(file, args)] as [string, Ask]],
    ),
    ["workerd", inWorkerd],
  ];
}

function inProcess(file: string, args: string[]): Ask {
  return async (project, asked) => {
    const bundle = join(project, `${asked.runtime}.mjs`);
    await bundled(project, PROCESS, bundle);
    const { stdout } = await run(file, [...args, bundle, JSON.stringify(asked)], { cwd: project });
    return JSON.parse(stdout) as unknown;
  };
}

async function inWorkerd(project: string, asked: Asked): Promise<unknown> {
  const directory = join(project, "workerd");
  await bundled(project, WORKER, join(directory, "worker.js"));
  const worker = await startWorker({ directory, compatibilityDate: "2026-10-01" });
  try {
    const answer = await worker.fetch("/", { method: "POST", body: JSON.stringify(asked) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return JSON.parse(text) as unknown;
  } finally {
    await worker.stop();
  }
}

async function bundled(project: string, contents: string, outfile: string): Promise<void> {
  const script = await readFile(join(import.meta.dirname, "everywhere.ts"), "utf8");
  const own = script.replace("../../client/src/index.ts", "@nearcast/client");
  await writeFile(join(project, "everywhere.ts"), own);
  await build({
    stdin: { contents, resolveDir: project },
    bundle: true,
    format: "esm",
    target: "es2022",
    outfile,
  });
}
