import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { unzipSync } from "fflate";
import { beforeAll, describe, expect, test } from "vitest";
import { asUser, curl } from "../harness/as-a-user.ts";
import { conformance } from "../conformance/suite.ts";
import { startNodeServer } from "../harness/node-server.ts";
import { startOverS3, type Target, type TargetOptions } from "../harness/targets.ts";
import { makeProject, type Project } from "./project.ts";
import { startTool, type Tool } from "./tool.ts";

/** Runs the command as `npx nearcast` does, but as one process whose pid is known. */
const NEARCAST = "exec node_modules/.bin/node node_modules/.bin/nearcast";
/** What `init` copies. */
const TEMPLATES = ["dist/package/cli/templates/", "dist/package/infra/aws/"];
const MIB = 1024 * 1024;
/** The sizes of the repository's own builds before there was a package, rounded up. */
/** 3,771 for all but pictures; their decoders, 198, and what reads forms, CSV and compressed bodies come on top. So do
 * capture, copies for versions on trial, jobs, and places in texts. 41 are for Connect and gRPC-Web, with protobuf, some 10
 * for spillover, 4 for features by entity id, 28 for Postgres, which are not run before a table is asked,
 * 8 for sound, 5 for speech in it, 6 for boxes in pictures, 7 for masks of them, 3 for pictures by labels of the request, 3 for texts in pictures, 1 for
 * copies of streams and of masks, and 3 for memory that is given back, header fields that are read once, and versions that need too much memory. */
const MOST_WORKER_GZIP_KIB = 4275;
const MOST_ZIP_BYTES = 19.8 * MIB;
/**
 * With metrics, drift, rollouts, capture, jobs, batches, files, forms of vectors, eight tasks for texts, the playground,
 * the command that converts, the messages of gRPC, the stack in parts, `doctor`, `cost` with its prices and figures,
 * spillover, features by entity id from six kinds of places, deployments that have names, recordings, speech in them,
 * objects, masks and texts in pictures, and the conversion of networks.
 */
const MOST_TARBALL_BYTES = 1.66 * MIB;

let project: Project;
beforeAll(async () => {
  project = await makeProject();
}, 600_000);

describe("the tarball", () => {
  test("has no tests, sources or models but the example's", async () => {
    const files = await filesBelow(project.unpacked);
    for (const file of files.filter((file) => !TEMPLATES.some((path) => file.startsWith(path)))) {
      expect(file).not.toMatch(/(^|\/)(test|bench|infra)\/|\.test\./);
      if (file.endsWith(".ts")) expect(file).toMatch(/^dist\/package\/functions\/.*\.d\.ts$/);
      if (file.startsWith("models/")) expect(file).toMatch(/^models\/iris\//);
    }
    expect(files).toContain("LICENSE");
    expect((await readFile(project.tarball)).byteLength).toBeLessThan(MOST_TARBALL_BYTES);
  });

  test("passes publint", async () => {
    const { publint } = await import("publint");
    const tarball = await readFile(project.tarball);
    const { buffer, byteOffset, byteLength } = tarball;
    const { messages } = await publint({
      pack: { tarball: buffer.slice(byteOffset, byteOffset + byteLength) },
      strict: true,
    });
    expect(messages).toEqual([]);
  });

  test("its types resolve, as attw sees it and under both module resolutions", async () => {
    const bin = join(import.meta.dirname, "../../node_modules/.bin");
    await asUser(`${bin}/attw ${project.tarball} --profile esm-only`, project.folder);
    const uses = `
      import { createApp, createService, defineTask, type Platform } from "nearcast";
      import { serve } from "nearcast/node";
      import { createHandler } from "nearcast/lambda";
      import { createWorker } from "nearcast/cloudflare";
      export const app = (platform: Platform) => createApp(createService(platform));
      export { createHandler, createWorker, defineTask, serve };
      // @ts-expect-error
      createService(1);`;
    await writeFile(join(project.folder, "uses.mts"), uses);
    for (const modes of ["--module node16", "--module preserve --moduleResolution bundler"])
      await asUser(
        `${bin}/tsc --ignoreConfig --noEmit --strict --skipLibCheck --target es2022 --types "" ${modes} uses.mts`,
        project.folder,
      );
    await rm(join(project.folder, "uses.mts"));
  });
});

describe("a project that init made", () => {
  test("npm start serves its model, as the README says", async () => {
    const readme = await readFile(join(project.folder, "README.md"), "utf8");
    const [line = ""] = /curl [^]*?(?=\n```)/.exec(readme) ?? [];
    const server = await startTool("npm start", project.folder, /Try it/, { PORT: "0" });
    try {
      const port = Number(/localhost:(\d+)/.exec(server.output())?.[1]);
      expect(await curl(line, port)).toMatchObject({ outputs: { label: "setosa" } });
      for (const file of ["swagger-ui.css", "playground.js", "playground.css"])
        expect((await fetch(`http://localhost:${port}/docs/${file}`)).status, file).toBe(200);
    } finally {
      await server.stop("its group");
    }
  });

  test("npm test passes, and its model is good to publish", async () => {
    await asUser("npm test", project.folder);
    expect(await asUser("npx nearcast verify iris", project.folder)).toMatch(/good to publish/);
  });

  test("init refuses a folder that is not empty", async () => {
    const init = asUser('npx nearcast init "../My Models"', project.folder);
    await expect(init).rejects.toThrow(/is not empty/);
  });

  test("only the files of the chosen platforms are made", async () => {
    await asUser("npx nearcast init ../at-home --platform node", project.folder);
    const files = await filesBelow(join(project.folder, "../at-home"));
    expect(files).toContain("src/server.ts");
    for (const file of ["src/worker.ts", "src/lambda.ts", "wrangler.toml", "serverless.yml"])
      expect(files).not.toContain(file);
  });
});

describe("its server answers as the repository's own does", () => {
  conformance(startServer, 1e-5);
});

describe("deploy --dry-run", () => {
  test("bundles the Worker, without the native runtime", async () => {
    const output = await asUser("npx nearcast deploy cloudflare --dry-run", project.folder);
    const kib = Number(/gzip: ([\d.]+) KiB/.exec(output)?.[1]);
    console.log(`Worker of an init project: ${kib} KiB gzip`);
    expect(kib).toBeLessThan(MOST_WORKER_GZIP_KIB);
    const worker = join(project.folder, "dist/worker");
    const names = (await readdir(worker)).filter((name) => !/\.map$|\.md$/.test(name));
    expect(names.map((name) => name.replace(/^[0-9a-f]{40}-/, "")).toSorted()).toEqual([
      "mozjpeg_dec.wasm",
      "ort-wasm-simd-threaded.wasm",
      "squoosh_png_bg.wasm",
      "webp_dec.wasm",
      "worker.js",
    ]);
    expect(await readFile(join(worker, "worker.js"), "utf8")).not.toMatch(/onnxruntime[-_]node/);
  });

  test("packages the Lambda function, without the WASM runtime, its code compiled", async () => {
    const output = await asUser(
      "npx nearcast deploy lambda --dry-run --stage production --regions eu-west-1,us-east-1",
      project.folder,
    );
    for (const region of ["eu-west-1", "us-east-1"]) {
      expect(output).toContain(`osls deploy --stage production --region ${region} would follow`);
      expect(output).toContain(`Note: ${region}: The parameter /my-models/production/api-keys`);
    }
    expect(output).not.toMatch(/no compiled code/);
    const zip = await readFile(join(project.folder, "dist/lambda/x64.zip"));
    console.log(`Lambda package of an init project: ${zip.byteLength} bytes`);
    expect(zip.byteLength).toBeLessThan(MOST_ZIP_BYTES);
    const names = Object.keys(unzipSync(new Uint8Array(zip)));
    expect(names).toContain("bundle.cjs.cache");
    expect(names.filter((name) => /\.wasm$|onnxruntime-web/.test(name)).toSorted()).toEqual([
      "decoders/mozjpeg_dec.wasm",
      "decoders/squoosh_png_bg.wasm",
      "decoders/webp_dec.wasm",
    ]);
    const template = join(project.folder, ".serverless/cloudformation-template-update-stack.json");
    expect(await readFile(template, "utf8")).toContain("parameter/my-models/production/api-keys");
  });

  test("lists every problem with its fix", async () => {
    const manifest = join(project.folder, "serverless.yml");
    const text = await readFile(manifest, "utf8");
    await writeFile(
      manifest,
      text.replace("nodejs24.x", "nodejs22.x").replace(/^ {4}API_KEYS: .*\n/m, ""),
    );
    const deploy = asUser("npx nearcast deploy lambda --dry-run", project.folder);
    await expect(deploy).rejects.toThrow(
      /2 problems[^]*nodejs22\.x[^]*runtime: nodejs24\.x[^]*API_KEYS/,
    );
    await writeFile(manifest, text);
  });
});

describe("dev", () => {
  test.each(["", "--edge", "--lambda"])("%s takes up a version and shows errors", async (flag) => {
    const models = join(project.folder, "models-dev");
    await cp(join(project.folder, "models"), models, { recursive: true });
    const port = flag === "" ? 8971 : flag === "--edge" ? 8972 : 8973;
    const command = `${NEARCAST} dev ${flag} --port ${port} --models models-dev`;
    const dev = await startTool(command, project.folder, /is served at/);
    try {
      await answersVersion(port, "1");
      if (flag === "--lambda") await answersLater(port);
      await mkdir(join(models, "iris/2"));
      await cp(join(models, "iris/1"), join(models, "iris/2"), { recursive: true });
      const manifest = join(models, "iris/2/model.json");
      const text = (await readFile(manifest, "utf8")).replace('"version": "1"', '"version": "2"');
      await writeFile(manifest, text.replace('"tabular-classification"', '"tabular"'));
      await dev.says(/models-dev\/iris\/2\/model\.json: task: /);
      await writeFile(manifest, text);
      await writeFile(join(models, "iris/release.json"), '{"stable": "2"}');
      await answersVersion(port, "2");
    } finally {
      await endsCleanly(dev);
      await rm(models, { recursive: true, force: true });
    }
  });
});

/** The server that the project builds, over an S3 with this repository's models. */
async function startServer(options: TargetOptions = {}): Promise<Target> {
  await asUser("npx nearcast build node", project.folder);
  return startOverS3(options, async (env) => {
    const entry = join(project.folder, "dist/node/server.mjs");
    const server = await startNodeServer({ entry, cwd: project.folder, env });
    return {
      url: server.url,
      fetch: server.fetch,
      logs: () => server.logs,
      stop: async () => void (await server.stop()),
    };
  });
}

async function answersVersion(port: number, version: string): Promise<void> {
  await expect
    .poll(
      async () => {
        const response = await fetch(`http://127.0.0.1:${port}/v1/models/iris/predict`, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }),
        });
        return ((await response.json()) as { version: string }).version;
      },
      { timeout: 90_000, interval: 500 },
    )
    .toBe(version);
}

/** Jobs and batches run, behind a queue. */
async function answersLater(port: number): Promise<void> {
  const ask = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);
  const statusOf = async (path: string) =>
    ((await (await ask(path)).json()) as { status: string }).status;
  await ask("/v1/jobs/one", {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ model: "iris", inputs: [5.1, 3.5, 1.4, 0.2] }),
  });
  await ask("/v1/batches/one?model=iris", {
    method: "PUT",
    headers: { "Content-Type": "text/csv" },
    body: "5.1,3.5,1.4,0.2\n",
  });
  for (const path of ["/v1/jobs/one", "/v1/batches/one"])
    await expect.poll(() => statusOf(path), { timeout: 60_000 }).toBe("succeeded");
}

/** If only its own process is ended, as a supervisor does, no process of the project stays behind. */
async function endsCleanly(dev: Tool): Promise<void> {
  await dev.stop();
  await sleep(500);
  expect(await dev.leftovers()).toEqual([]);
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("node_modules"))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
