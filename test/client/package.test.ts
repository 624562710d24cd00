import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startNodeServer } from "../harness/node-server.ts";
import { startWorker } from "../harness/worker.ts";
import { prediction, refusal, startStubService } from "./stub-service.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const client = join(root, "client");
const [npm, tsc] = ["npm", join(root, "node_modules/.bin/tsc")];

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

interface Packed {
  filename: string;
  files: { path: string }[];
}

describe("the packed tarball of @nearcast/client", () => {
  let project: string;
  let packed: Packed;
  beforeAll(async () => {
    project = await realpath(await mkdtemp(join(tmpdir(), "nearcast-client-")));
    // No scripts: the package is built before all tests, and the scripts' output would mix with the JSON.
    const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", project];
    const listed: unknown = JSON.parse((await run(npm, pack, { cwd: client })).stdout);
    // An array, or by name since npm 12.
    [packed] = Object.values(listed as Record<string, Packed>) as [Packed];
    const installed = join(project, "node_modules/@nearcast/client");
    await mkdir(installed, { recursive: true });
    const tarball = join(project, packed.filename);
    await run("tar", ["xzf", tarball, "-C", installed, "--strip-components", "1"]);
    await writeFile(join(project, "package.json"), '{"type": "module"}');
  }, 240_000);
  afterAll(() => rm(project, { recursive: true, force: true }));

  test("holds what is built, README, LICENSE and package.json", () => {
    const files = packed.files.map(({ path }) => path).toSorted();
    const modules = ["assignment", "deadline", "error", "index", "json", "request", "types"];
    expect(files).toEqual([
      "LICENSE",
      "README.md",
      ...modules.flatMap((name) => [`dist/${name}.d.ts`, `dist/${name}.js`]),
      "package.json",
    ]);
  });

  test.each([
    ["node16", "node16"],
    ["esnext", "bundler"],
  ])(
    "its types refuse wrong uses under module %s, moduleResolution %s",
    async (module, resolution) => {
      const uses = await readFile(join(import.meta.dirname, "typed-uses.ts"), "utf8");
      const file = join(project, "typed-uses.ts");
      await writeFile(file, uses.replace("../../client/src/index.ts", "@nearcast/client"));
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
    const entry = 'export * from "@nearcast/client";';
    const { outputFiles } = await build({
      stdin: { contents: entry, resolveDir: project },
      bundle: true,
      minify: true,
      format: "esm",
      write: false,
    });
    const size = gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
    expect(size).toBeGreaterThan(1000);
    expect(size).toBeLessThan(5000);
  });
});
