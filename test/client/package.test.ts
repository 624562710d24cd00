import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startNodeServer } from "../harness/node-server.ts";
import { startWorker } from "../harness/worker.ts";
import { installPackedClient, type PackedClient } from "./packed.ts";
import { prediction, refusal, startStubService } from "./stub-service.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const client = join(root, "client");
const tsc = join(root, "node_modules/.bin/tsc");

/** Sends two requests: a prediction that is refused first, and one that is not allowed. */
const WORKER = `
  import { createClient } from "@nearcast/client";
  export default {
    async fetch(request, { SERVICE }) {
      const client = createClient(SERVICE, { key: "k" });
      const { outputs } = await client.predict("digits", new Blob([new Uint8Array([1, 2, 3])]), { timeoutMs: 60_000 });
      const code = await client.predict("digits", "").catch((error) => error.code);
      return Response.json({ outputs, code });
    },
  };
`;

/** The modules of `./browser`, beside the worker and its chunks. */
const IN_BROWSER = `download either files index messages page page-cache page-worker reasons release runtime-file`;
const CHUNK = /^dist\/browser\/worker-[\w-]+-[0-9A-Z]{8}\.js$/;

describe("the packed tarball of @nearcast/client", () => {
  let packed: PackedClient;
  let project: string;
  beforeAll(async () => {
    packed = await installPackedClient("react", "vue", "@tanstack/react-query", "@types/react");
    ({ project } = packed);
  }, 240_000);
  afterAll(() => packed?.remove());

  test("holds what is built, README, LICENSE and package.json", () => {
    const bindings = ["prediction-key", "prediction-query", "prediction-store", "react", "vue"];
    const core = ["address", "assignment", "deadline", "error", "events", "index", "jobs", "json"];
    core.push("options", "prediction", "request", "types");
    const modules = [...core, ...bindings];
    const others = packed.files.filter((path) => !CHUNK.test(path));
    const expected = [
      "LICENSE",
      "README.md",
      "dist/browser/LICENSES.txt",
      "dist/browser/worker.js",
      ...IN_BROWSER.split(" ").flatMap((name) => [
        `dist/browser/${name}.d.ts`,
        `dist/browser/${name}.js`,
      ]),
      ...modules.flatMap((name) => [`dist/${name}.d.ts`, `dist/${name}.js`]),
      "package.json",
    ];
    expect(others).toEqual(expected.toSorted());
  });

  test.each(
    ["typed-uses", "typed-bindings", "typed-local"].flatMap((name) => [
      [name, "node16", "node16"] as const,
      [name, "esnext", "bundler"] as const,
    ]),
  )(
    "its types refuse wrong uses of %s under module %s, moduleResolution %s",
    async (name, module, resolution) => {
      const uses = await readFile(join(import.meta.dirname, `${name}.ts`), "utf8");
      const file = join(project, `${name}.ts`);
      const installed = uses
        .replace("../../client/src/index.ts", "@nearcast/client")
        .replace("../../client/src/browser/index.ts", "@nearcast/client/browser")
        .replaceAll(/\.\.\/\.\.\/client\/src\/(\w+)\.ts/g, "@nearcast/client/$1");
      await writeFile(file, installed);
      const flags = ["--ignoreConfig", "--noEmit", "--strict", "--target", "es2022"];
      const lib = ["--lib", "es2022,dom", "--types", ""];
      const modules = ["--module", module, "--moduleResolution", resolution];
      const compiled = await run(tsc, [...flags, ...lib, ...modules, file], { cwd: project }).catch(
        (failure: unknown) => failure as { stdout: string },
      );
      expect(compiled.stdout).toBe("");
    },
  );

  test("the README's example prints what the README says", async () => {
    const readme = await readFile(join(client, "README.md"), "utf8");
    const [, code = "", printed = ""] =
      /```ts\n([^]*?)```\s+```text\n([^]*?)```/.exec(readme) ?? [];
    const server = await startNodeServer({ cwd: root });
    try {
      const file = join(project, "readme.ts");
      await writeFile(file, code.replace("http://localhost:8787", server.url));
      const { stdout } = await run(process.execPath, [file], { cwd: project });
      expect(stdout.trim()).toBe(printed.trim());
      expect(printed).not.toBe("");
    } finally {
      await server.stop();
    }
  });

  test("asks from a Worker", async () => {
    const directory = join(project, "worker");
    await build({
      stdin: { contents: WORKER, resolveDir: project },
      bundle: true,
      format: "esm",
      outfile: join(directory, "worker.js"),
    });
    const service = await startStubService();
    service.answers = [refusal(503, "overloaded", "0"), prediction, refusal(401, "unauthorized")];
    const vars = { SERVICE: service.url };
    const worker = await startWorker({ directory, vars, compatibilityDate: "2026-10-01" });
    try {
      const answer = await (await worker.fetch("/")).json();
      expect(answer).toEqual({ outputs: { label: "setosa" }, code: "unauthorized" });
    } finally {
      await worker.stop();
      await service.stop();
    }
    expect(service.requests[0]?.body).toBe('{"inputs":"AQID"}');
  });

  test("is under 5 kB in a bundle, minified and compressed", async () => {
    const { size } = await bundled('export * from "@nearcast/client";');
    expect(size).toBeGreaterThan(1000);
    expect(size).toBeLessThan(5000);
  });

  test.each(["react", "vue"])(
    "the binding of %s is under 3 kB, without the client",
    async (name) => {
      const { size, inputs } = await bundled(`export * from "@nearcast/client/${name}";`);
      expect(size).toBeGreaterThan(500);
      expect(size).toBeLessThan(3000);
      expect(inputs).toEqual(["prediction-key", "prediction-query", "prediction-store", name]);
    },
  );

  /** The bytes of a page's script without the frameworks, and the client's modules in it. */
  async function bundled(contents: string): Promise<{ size: number; inputs: string[] }> {
    const { outputFiles, metafile } = await build({
      stdin: { contents, resolveDir: project },
      external: ["react", "vue"],
      bundle: true,
      minify: true,
      format: "esm",
      metafile: true,
      write: false,
    });
    const paths = Object.keys(metafile.inputs).filter((path) => path !== "<stdin>");
    return {
      size: gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length,
      inputs: paths.map((path) => basename(path, ".js")).toSorted(),
    };
  }
});
