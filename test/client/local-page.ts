import { cp, readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { build } from "esbuild";
import { answerByFetch } from "../../cli/local/answer-by-fetch.ts";
import type { Target } from "../harness/targets.ts";
import { installPackedClient } from "./packed.ts";

const root = join(import.meta.dirname, "../..");

/** Strict, and all that the page needs. */
const policy = (service: string) =>
  [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    `connect-src 'self' ${service}`,
  ].join("; ");

const TYPES: Record<string, string> = {
  ".js": "text/javascript",
  ".wasm": "application/wasm",
  ".html": "text/html",
};

/** A folder with a page that was built from the packed client, as its users would build it. */
export async function buildPage(): Promise<{ site: string; remove: () => Promise<void> }> {
  const { project: folder, remove } = await installPackedClient();
  const script = await readFile(join(import.meta.dirname, "local-page-script.ts"), "utf8");
  const sources = /\.\.\/\.\.\/client\/src(\/browser)?\/index\.ts/g;
  await writeFile(join(folder, "page.ts"), script.replace(sources, "@nearcast/client$1"));
  const site = join(folder, "site");
  await build({
    entryPoints: [join(folder, "page.ts")],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    outfile: join(site, "page.js"),
    logLevel: "silent",
  });
  const installed = "node_modules/@nearcast/client/dist/browser";
  await cp(join(folder, installed), join(site, "nearcast"), { recursive: true });
  const wasm = "node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm";
  await cp(join(root, wasm), join(site, "ort.wasm"));
  await writeFile(
    join(site, "index.html"),
    '<!doctype html><title>page</title><script type="module" src="/page.js"></script>',
  );
  return { site, remove };
}

export interface Listening {
  url: string;
  close: () => void;
}

/** The page's own host. */
export function servePage(site: string, service: string): Promise<Listening> {
  return listen(async (request, response) => {
    const path = request.url === "/" ? "/index.html" : (request.url ?? "");
    try {
      const body = await readFile(join(site, path));
      response.setHeader("Content-Type", TYPES[extname(path)] ?? "text/plain");
      response.setHeader("Content-Security-Policy", policy(service));
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
}

/** A door to the service that a test can break. */
export interface Door extends Listening {
  /** What happens to a request before it reaches the service. True where it is answered already. */
  before?: (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;
  /** Changes the bytes of files. */
  damage?: (path: string, bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
  /** The method and path of each request so far. */
  asked: string[];
}

/** Ends the connection, as a lost network does. */
export function lose(request: IncomingMessage): true {
  request.socket.destroy();
  return true;
}

export async function openDoor(target: Pick<Target, "fetch">): Promise<Door> {
  const asked: string[] = [];
  const listening = await listen(async (request, response) => {
    const path = request.url ?? "";
    asked.push(`${request.method} ${path}`);
    if (await door.before?.(request, response)) return;
    // The answer passes here in plain.
    request.headers["accept-encoding"] = "identity";
    const fetchThrough: Target["fetch"] = async (path, init) => {
      const answer = await target.fetch(path, init);
      if (!door.damage || !path.includes("/files/") || !answer.ok) return answer;
      const bytes = door.damage(path, new Uint8Array(await answer.arrayBuffer()));
      return new Response(bytes, { headers: answer.headers, status: answer.status });
    };
    await answerByFetch(fetchThrough, request, response);
  });
  const door: Door = { ...listening, asked };
  return door;
}

async function listen(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<Listening> {
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
