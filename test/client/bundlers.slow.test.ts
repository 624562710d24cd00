import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import webpack from "webpack";
import { answerByFetch } from "../../cli/local/answer-by-fetch.ts";
import { browserPath, startBrowser } from "../harness/browser.ts";
import { targets, type Target } from "../harness/targets.ts";
import { installPackedClient, type PackedClient } from "./packed.ts";

const PREFIX = "/shop/models";
const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

/** What a user writes. The bundler finds the worker by itself. */
const page = (wasm: string) => `
  ${wasm}
  import { createLocalModel } from "@nearcast/client/browser";
  const flowers = createLocalModel("${PREFIX}", "iris", { wasmUrl, where: "page" });
  try {
    const { outputs, where } = await flowers.predict([5.1, 3.5, 1.4, 0.2]);
    document.body.textContent = outputs.label + " " + where;
  } catch (error) {
    document.body.textContent = error.code + " " + error.message;
  }
`;

const BUNDLERS: Record<string, (project: string) => Promise<void>> = {
  async vite(project) {
    const code = page('import wasmUrl from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";');
    await writeFile(join(project, "page.js"), code);
    await writeFile(
      join(project, "index.html"),
      '<!doctype html><title>page</title><body></body><script type="module" src="./page.js"></script>',
    );
    // As client/README.md says.
    await build({ root: project, logLevel: "silent", worker: { format: "es" } });
  },
  async webpack(project) {
    const file = '"onnxruntime-web/ort-wasm-simd-threaded.wasm"';
    await writeFile(
      join(project, "page.js"),
      page(`const wasmUrl = new URL(${file}, import.meta.url);`),
    );
    const compiler = webpack({
      mode: "production",
      context: project,
      entry: "./page.js",
      output: { path: join(project, "dist"), filename: "page.js" },
    });
    await new Promise<void>((resolve, reject) => {
      compiler.run((error, stats) => {
        if (error ?? stats?.hasErrors()) reject(error ?? new Error(stats?.toString("errors-only")));
        else compiler.close(() => resolve());
      });
    });
    const html =
      '<!doctype html><title>page</title><body></body><script defer src="/page.js"></script>';
    await writeFile(join(project, "dist/index.html"), html);
  },
};

describe.skipIf(!browserPath).each(Object.entries(BUNDLERS))(
  "a page that %s built",
  (_, bundle) => {
    let packed: PackedClient;
    let service: Target;
    let browser: Browser;
    beforeAll(async () => {
      [packed, service, browser] = await Promise.all([
        installPackedClient("onnxruntime-web"),
        targets.node(),
        startBrowser(),
      ]);
      await bundle(packed.project);
    });
    afterAll(async () => {
      await browser?.close();
      await service?.stop();
      await packed?.remove();
    });

    test("runs a model of a service behind a prefix, in its own worker", async () => {
      const asked: string[] = [];
      const server = createServer(async (request, response) => {
        const path = request.url === "/" ? "/index.html" : (request.url ?? "");
        if (path.startsWith(PREFIX)) {
          asked.push(`${request.method} ${path.slice(PREFIX.length)}`);
          const ask: Target["fetch"] = (path, init) =>
            service.fetch(path.slice(PREFIX.length), init);
          return answerByFetch(ask, request, response);
        }
        const bytes = await readFile(join(packed.project, "dist", path)).catch(() => undefined);
        const type = TYPES[extname(path)] ?? "text/plain";
        response.writeHead(bytes ? 200 : 404, { "Content-Type": type }).end(bytes);
      });
      await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
      onTestFinished(() => {
        server.close();
        server.closeAllConnections();
      });
      const opened = await browser.newPage();
      onTestFinished(() => opened.close());
      await opened.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await opened.waitForFunction("document.body.textContent.trim()");
      expect((await opened.textContent("body"))?.trim()).toBe("setosa page");
      expect(asked).toEqual([
        "GET /v1/models/iris",
        "GET /v1/models/iris/versions/1/files/model.onnx",
      ]);
    });
  },
);
