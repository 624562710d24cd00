import { execFile } from "node:child_process";
import { cp, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { installPackedClient } from "../client/packed.ts";

const run = promisify(execFile);
const examples = join(import.meta.dirname, "../../examples");
const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
};

export interface ExamplePage {
  /** Where the built page is. */
  origin: string;
  /** Runs a command of the project's packages. */
  run: (command: string, ...args: string[]) => Promise<void>;
  /** Builds the page for the service at this address. */
  build: (service: string) => Promise<void>;
  /** The bytes of the script that a page loads first. */
  script: () => Promise<Buffer>;
  stop: () => Promise<void>;
}

/** A copy of an example with the packed client. Its other packages are linked from this repository. */
export async function installPage(name: string): Promise<ExamplePage> {
  const text = await readFile(join(examples, name, "package.json"), "utf8");
  const { dependencies, devDependencies } = JSON.parse(text) as Record<string, object>;
  const others = Object.keys({ ...dependencies, ...devDependencies });
  const { project, remove } = await installPackedClient(
    ...others.filter((other) => other !== "@nearcast/client"),
  );
  await cp(join(examples, name), project, {
    recursive: true,
    filter: (path) => !/[\\/](node_modules|dist)$/.test(path),
  });
  const server = createServer(async (request, response) => {
    const path = request.url === "/" ? "/index.html" : (request.url ?? "");
    const bytes = await readFile(join(project, "dist", path)).catch(() => undefined);
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    response.writeHead(bytes ? 200 : 404, { "Content-Type": type }).end(bytes);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const command = async (command: string, args: string[], env: Record<string, string> = {}) => {
    await run(process.execPath, [join(project, "node_modules", command), ...args], {
      cwd: project,
      env: { ...process.env, NODE_ENV: "production", ...env },
    });
  };
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    run: (name, ...args) => command(name, args),
    build: (service) => command("vite/bin/vite.js", ["build"], { VITE_NEARCAST_URL: service }),
    async script() {
      const html = await readFile(join(project, "dist/index.html"), "utf8");
      return readFile(join(project, "dist", /src="([^"]+\.js)"/.exec(html)?.[1] ?? ""));
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await remove();
    },
  };
}
