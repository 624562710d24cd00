import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { projectFiles } from "../../cli/init/project.ts";
import { findPython, MAKE_VENV } from "../clients/tools.ts";
import { freePort } from "../harness/free-port.ts";
import { startOverS3 } from "../harness/targets.ts";
import { packNearcast } from "../package/pack.ts";
import { floats, lay, scaling } from "../plain-models/make.ts";
import { buildImage, startContainer, type Container, type Image } from "./image.ts";
import { missingForRoots } from "./roots.ts";

const run = promisify(execFile);
const READY = { timeout: 30_000, interval: 100 };
const root = join(import.meta.dirname, "../..");
const missing = missingForRoots();
if (missing !== undefined) console.log(`Images are not rehearsed: ${missing}.`);

/** What every container here may be asked. */
const NODE = "/usr/local/bin/node";
const PREDICT = {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }),
};

async function started(image: Image, options: Parameters<typeof startContainer>[1] = {}) {
  const port = await freePort();
  const container = await startContainer(image, {
    ...options,
    env: { PORT: String(port), ...options.env },
  });
  onTestFinished(async () => {
    await container.kill();
  });
  const url = `http://127.0.0.1:${port}`;
  return { ...container, url, ask: (path: string, init?: RequestInit) => fetch(url + path, init) };
}

/** The files below a folder of the container. */
async function filesIn({ exec }: Container, folder: string): Promise<string[]> {
  const script = `console.log(JSON.stringify(require("fs").readdirSync("${folder}", { recursive: true })))`;
  return JSON.parse((await exec([NODE, "-e", script])).output) as string[];
}

let image: Image;
beforeAll(async () => {
  if (missing === undefined) image = await buildImage(join(root, "Dockerfile"), { folder: root });
});
afterAll(() => image?.remove());

describe.skipIf(missing !== undefined)("the image of the Dockerfile", () => {
  test("serves a bucket from a root that it cannot write, and keeps its cache in its volume", async () => {
    let container: Awaited<ReturnType<typeof started>> | undefined;
    const target = await startOverS3({}, async (env) => {
      container = await started(image, { env: { ...env, TMPDIR: "/cache" } });
      return {
        url: container.url,
        fetch: container.ask,
        logs: container.output,
        stop: async () => {},
      };
    });
    onTestFinished(() => target.stop());
    if (!container) throw new Error("nothing has started");
    const answer = await container.ask("/v1/models/iris/predict", PREDICT);
    expect(await answer.json()).toMatchObject({ outputs: { label: "setosa" } });
    const picture = await container.ask("/v1/models/digits/predict", {
      method: "POST",
      headers: { "content-type": "image/png" },
      body: await readFile(join(root, "models/digits/seven.png")),
    });
    expect(await picture.json()).toMatchObject({ outputs: { label: "7" } });
    const job = await container.ask("/v1/models/iris/predict", {
      ...PREDICT,
      headers: { ...PREDICT.headers, prefer: "respond-async" },
    });
    expect(job.status).toBe(202);
    for (const page of ["/", "/docs", "/docs/swagger-ui.css"])
      expect((await container.ask(page)).status, page).toBe(200);

    const files = await filesIn(container, "/cache");
    expect(files.filter((file) => /^artifacts\/./.test(file)).length).toBeGreaterThan(1);
    expect(files).toContain("jobs.sqlite");
    const written = await container.exec([
      NODE,
      "-e",
      `for (const path of ["/x", "/app/x", "/tmp/x", "/root/x", "/usr/x"])
         try { require("fs").writeFileSync(path, ""); console.log("wrote", path); } catch ({ code }) { console.log(code); }`,
    ]);
    expect(written.output).not.toContain("wrote");
    expect(written.output).toContain("EROFS");
  });

  test("runs as a user without rights, and has no shell", async () => {
    const container = await started(image, { mounts: { "/models": join(root, "models") } });
    const status = await readFile(`/proc/${container.pid}/status`, "utf8");
    expect(status).toMatch(/^Uid:\s+65532\s+65532\s+65532\s+65532$/m);
    expect(status).toMatch(/^Groups:\s*$/m);
    expect(status).toMatch(/^CapEff:\s+0+$/m);
    expect((await container.exec(["/bin/sh", "-c", "true"])).code).not.toBe(0);
  });

  test("answers nothing but health until it knows who may ask", async () => {
    const container = await started(image, { mounts: { "/models": join(root, "models") } });
    expect((await container.ask("/v1/models/iris/predict", PREDICT)).status).toBe(503);
    expect((await container.ask("/health")).status).toBe(200);
  });

  test("is healthy while it answers, and only then", async () => {
    const container = await started(image, { mounts: { "/models": join(root, "models") } });
    expect(await container.health()).toBe(0);
    process.kill(container.pid, "SIGSTOP");
    const health = container.health();
    const first = await Promise.race([
      health,
      new Promise((resolve) => setTimeout(() => resolve("no answer"), 1000)),
    ]);
    process.kill(container.pid, "SIGCONT");
    await health;
    expect(first).toBe("no answer");
    expect(await container.health({ PORT: String(await freePort()) })).toBe(1);
  });

  test("as process 1, after SIGTERM it is not ready, answers on, and ends with 0", async () => {
    const container = await started(image, {
      env: { AUTH: "none", SHUTDOWN_GRACE_MS: "1500" },
      mounts: { "/models": join(root, "models") },
    });
    expect((await container.ask("/ready")).status).toBe(200);
    const end = container.stop();
    await expect.poll(async () => (await container.ask("/ready")).status).toBe(503);
    expect((await container.ask("/v1/models/iris/predict", PREDICT)).status).toBe(200);
    expect(await end).toBe(0);
  });

  test("has the libraries of one processor, and nothing of npm", async () => {
    const container = await started(image);
    const files = await filesIn(container, "/app");
    expect(files.filter((file) => /\.so|\.node$/.test(file)).toSorted()).toEqual(
      ["libonnxruntime.so.1", "onnxruntime_binding.node"].map(
        (file) => `node_modules/onnxruntime-node/bin/napi-v6/linux/${process.arch}/${file}`,
      ),
    );
    expect((await filesIn(container, "/usr/local")).filter((file) => file.includes("npm"))).toEqual(
      [],
    );
  });
});

const python = findPython();
if (!python) console.log(`KServe's client is not installed: skipped. ${MAKE_VENV}`);

describe.skipIf(missing !== undefined || !python)("KServe's runtime", () => {
  const script = join(import.meta.dirname, "kserve_runtime.py");
  const kserve = async (...args: string[]) => (await run(python ?? "", [script, ...args])).stdout;

  /** Starts what KServe would start for an InferenceService whose storage initializer has put these files there. */
  async function startService(files: Record<string, string | Uint8Array>) {
    const manifests = ["serving-runtime.yaml", "inference-service.yaml"].map((file) =>
      join(root, "infra/kubernetes/kserve", file),
    );
    const { env } = JSON.parse(await kserve("container", "flowers", ...manifests)) as {
      env: { name: string; value: string }[];
    };
    const folder = await lay(await mkdtemp(join(tmpdir(), "nearcast-kserve-")), files);
    // A temporary folder is closed to the container's user.
    await chmod(folder, 0o755);
    const grpcPort = await freePort();
    // The container shares this machine's ports.
    const own = Object.fromEntries(env.map(({ name, value }) => [name, value]));
    // Knative refuses a container that sets it.
    expect(own).not.toHaveProperty("PORT");
    const container = await started(image, {
      env: { ...own, GRPC_PORT: String(grpcPort) },
      mounts: { "/mnt/models": folder },
    });
    return { ...container, grpc: `127.0.0.1:${grpcPort}` };
  }

  test("serves ONNX files that nobody packaged to KServe's client, with weights beside them", async () => {
    const { url, grpc } = await startService({
      "model.onnx": scaling({ factors: [2, 2, 2] }),
      "weighted.onnx": scaling({ factors: [0, 0, 0], weights: "weighted.data" }),
      "weighted.data": floats([1, 10, 100]),
    });
    await vi.waitFor(async () => expect((await fetch(`${url}/ready`)).status).toBe(200), READY);
    expect(await kserve("ask", url, grpc, "flowers", "weighted")).toContain("all answered");
  });

  test("serves a repository as Triton has it", async () => {
    const { url, grpc } = await startService({
      "sales/1/model.onnx": scaling({ factors: [2, 2, 2] }),
      "sales/2/model.onnx": scaling({ factors: [3, 3, 3] }),
      "sales/config.pbtxt": 'name: "sales" backend: "onnxruntime" max_batch_size: 8',
    });
    await vi.waitFor(async () => expect((await fetch(`${url}/ready`)).status).toBe(200), READY);
    expect(await kserve("ask", url, grpc, "sales")).toContain("all answered");
  });

  test("is not ready with a file that is no model, and its log says why", async () => {
    const container = await startService({ "model.onnx": "hello" });
    await vi.waitFor(() => expect(container.output()).toContain("cannot be served"), READY);
    const answer = await container.ask("/ready");
    expect([answer.status, await answer.text()]).toEqual([
      503,
      expect.stringContaining("is a text file"),
    ]);
    expect(await container.health()).toBe(0);
  });
});

describe.skipIf(missing !== undefined)("the image of a project that init made", () => {
  test("is built from the packed package and serves its models", async () => {
    const { tarball } = await packNearcast();
    const folder = await mkdtemp(join(tmpdir(), "nearcast-project-"));
    for (const [path, content] of projectFiles({ name: "flowers", platforms: ["node"] })) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
    // The version that it depends on is not published yet. npm install writes the lock file, as the README has it.
    const json = await readFile(join(folder, "package.json"), "utf8");
    await writeFile(
      join(folder, "package.json"),
      json.replace(/"nearcast": ".*?"/, `"nearcast": "file:/packed/${basename(tarball)}"`),
    );
    const lock = await mkdtemp(join(tmpdir(), "nearcast-lock-"));
    await writeFile(
      join(lock, "Dockerfile"),
      `FROM node:${process.version.slice(1)}-trixie-slim AS lock\nWORKDIR /build\nCOPY package.json ./\nRUN npm install --package-lock-only --ignore-scripts\n`,
    );
    const mounts = { "/packed": join(tarball, "..") };
    const made = await buildImage(join(lock, "Dockerfile"), { folder, mounts });
    await writeFile(
      join(folder, "package-lock.json"),
      await readFile(join(made.root, "build/package-lock.json")),
    );
    await made.remove();
    const image = await buildImage(join(folder, "Dockerfile"), { folder, mounts });
    onTestFinished(() => image.remove());
    const container = await started(image, {
      env: { AUTH: "none" },
      mounts: { "/models": join(folder, "models") },
    });
    const answer = await container.ask("/v1/models/iris/predict", PREDICT);
    expect(await answer.json()).toMatchObject({ outputs: { label: "setosa" } });
    expect(await container.health()).toBe(0);
    expect(await container.stop()).toBe(0);
  });
});
