import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import { browserPath, startBrowser } from "../harness/browser.ts";
import { typeInto } from "../harness/person.ts";
import { installPackedClient, type PackedClient } from "./packed.ts";

const ROOTS = join(import.meta.dirname, "../../node_modules");
const SERVER = `
  import { createElement } from "react";
  import { renderToString } from "react-dom/server";
  import { App } from "page";
  export const html = renderToString(createElement(App));
`;
const BROWSER = `
  import { createElement } from "react";
  import { hydrateRoot } from "react-dom/client";
  import { App } from "page";
  const root = hydrateRoot(document.getElementById("root"), createElement(App));
  window.end = () => root.unmount();
`;

/** Inputs as they came, and those whose requests were given up. Inputs with "slow" in them get no answer. */
let asked: string[];
let aborted: string[];
let server: Server;
let origin: string;
let document: { html: string; script: string };

let packed: PackedClient;
let browser: Browser | undefined;
beforeAll(async () => {
  packed = await installPackedClient();
  if (browserPath) browser = await startBrowser();
  server = createServer(async (request, response) => {
    if (request.method === "GET") {
      const isScript = request.url === "/script.js";
      const page = `<!doctype html><div id="root">${document.html}</div><script type="module" src="/script.js"></script>`;
      response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html");
      return void response.end(isScript ? document.script : page);
    }
    const body = Buffer.concat(await request.toArray()).toString();
    const { inputs } = JSON.parse(body) as { inputs: string };
    asked.push(inputs);
    response.once("close", () => response.writableFinished || aborted.push(inputs));
    if (inputs.includes("slow")) return;
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ model: "echo", version: "1", outputs: inputs }));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
  await packed?.remove();
});
beforeEach(() => {
  [asked, aborted] = [[], []];
});

/** The page's code with a version of React, for a browser or for Node. */
async function bundle(react: string, contents: string, platform: "browser" | "node") {
  const reactDom = react.replace("react", "react-dom");
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: packed.project },
    bundle: true,
    platform,
    format: "esm",
    write: false,
    conditions: ["development"],
    define: { "process.env.NODE_ENV": '"development"' },
    banner: {
      js:
        platform === "node"
          ? 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);'
          : "",
    },
    alias: {
      page: join(import.meta.dirname, "react-page.ts"),
      react: join(ROOTS, react),
      "react-dom": join(ROOTS, reactDom),
    },
    plugins: [
      {
        name: "the client of the tarball",
        setup(bundle) {
          bundle.onResolve({ filter: /client\/src\/\w+\.ts$/ }, ({ path }) => {
            const name = /(\w+)\.ts$/.exec(path)?.[1];
            return { path: join(packed.project, `node_modules/@nearcast/client/dist/${name}.js`) };
          });
        },
      },
    ],
  });
  return outputFiles[0]?.text ?? "";
}

describe.each(["react", "react-18"])("with %s", (react) => {
  let html: string;
  beforeAll(async () => {
    const file = join(packed.project, `${react}.mjs`);
    await writeFile(file, await bundle(react, SERVER, "node"));
    ({ html } = (await import(pathToFileURL(file).href)) as { html: string });
  });

  test("a server renders that an answer is awaited", () => {
    expect(html).toContain('<output id="typed">,pending,false</output>');
  });

  describe.skipIf(!browserPath)("in StrictMode", () => {
    let page: Page;
    let problems: string[];
    beforeEach(async () => {
      document = { html, script: await bundle(react, BROWSER, "browser") };
      page = await browser!.newPage();
      problems = [];
      page.on("console", (line) => {
        if (["error", "warning"].includes(line.type())) problems.push(line.text());
      });
      page.on("pageerror", (error) => problems.push(String(error)));
      onTestFinished(() => page.close());
      await page.goto(origin);
      await page.getByText("first,false,false").waitFor();
      await page.getByText("plain,undefined,").waitFor();
    });

    test("a page from the server is taken over and asks once", async () => {
      expect(asked.toSorted()).toEqual(["first", "plain"]);
      expect(aborted).toEqual([]);
      expect(problems).toEqual([]);
    });

    test("what is typed fast is asked once, and the last answer stays meanwhile", async () => {
      await page.getByLabel("Text").press("End");
      await page.keyboard.type(" second");
      await page.getByText("first,pending,previous").waitFor();
      await page.getByText("first second,false,false").waitFor();
      expect(asked.filter((text) => text.startsWith("first"))).toEqual(["first", "first second"]);
      expect(problems).toEqual([]);
    });

    test("newer input and leaving end what was asked", async () => {
      await typeInto(page.getByLabel("Text"), "slow one");
      await vi.waitFor(() => expect(asked).toContain("slow one"), 30_000);
      await typeInto(page.getByLabel("Text"), "slow two");
      await vi.waitFor(() => expect(aborted).toEqual(["slow one"]), 30_000);
      await vi.waitFor(() => expect(asked).toContain("slow two"), 30_000);
      await typeInto(page.getByLabel("Text"), "");
      await vi.waitFor(() => expect(aborted).toEqual(["slow one", "slow two"]), 30_000);
      await typeInto(page.getByLabel("Text"), "slow three");
      await vi.waitFor(() => expect(asked).toContain("slow three"), 30_000);
      await page.evaluate("end()");
      await vi.waitFor(() => expect(aborted).toContain("slow three"), 30_000);
      expect(problems).toEqual([]);
    });

    test("a button asks and has the answer", async () => {
      await page.getByRole("button").click();
      await page.getByText("pressed,undefined,pressed").waitFor();
      expect(asked.filter((text) => text === "pressed")).toHaveLength(1);
    });

    test("TanStack Query asks, keeps by key, and hands on its signal", async () => {
      await typeInto(page.getByLabel("Text"), "query");
      await page.locator("#queried", { hasText: "query" }).waitFor();
      await typeInto(page.getByLabel("Text"), "query slow");
      await vi.waitFor(
        () => expect(asked.filter((text) => text === "query slow")).toHaveLength(2),
        30_000,
      );
      await typeInto(page.getByLabel("Text"), "");
      await vi.waitFor(() => expect(aborted).toEqual(["query slow", "query slow"]), 30_000);
      expect(problems).toEqual([]);
    });
  });
});
