import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { residentMemory } from "../../bench/processes.ts";
import { measurePackage } from "../../cli/measured.ts";
import { openPackage } from "../../cli/package-folder.ts";
import { forest } from "../harness/forest.ts";
import { manyModels } from "../harness/many-models.ts";
import { startNodeServer } from "../harness/node-server.ts";

const LIMIT_MS = 300_000;
const MIB = 1024 * 1024;

/** Bytes of resident memory that each of a dozen sessions adds, in a process that does nothing else. */
async function bareSessionBytes(path: string): Promise<number> {
  const script = `
    const { InferenceSession } = await import("onnxruntime-node");
    const load = () => InferenceSession.create(process.argv[1], { enableCpuMemArena: false, intraOpNumThreads: 1 });
    const kept = [await load(), await load()];
    const before = process.memoryUsage.rss();
    while (kept.length < 14) kept.push(await load());
    process.stdout.write(String((process.memoryUsage.rss() - before) / 12));`;
  const args = ["--input-type=module", "--eval", script, path];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout);
}

test.each([
  { what: "a forest that unpacks to many times its file", times: 40, least: 4, most: 20 },
  { what: "a small forest", times: 1, least: 2, most: 20 },
])(
  "what verify measures of $what is what a session holds",
  async ({ times, least, most }) => {
    const { folder, remove } = await manyModels(1, { artifact: await forest(times) });
    onTestFinished(remove);
    const local = await openPackage(folder, { name: "iris" });
    const { sessionBytes } = await measurePackage(local, "native");
    const bare = await bareSessionBytes(`${local.folder}/model.onnx`);
    expect(sessionBytes / bare).toBeGreaterThan(0.6);
    expect(sessionBytes / bare).toBeLessThan(1.6);
    const { bytes } = local.manifest.artifact;
    expect(sessionBytes / bytes).toBeGreaterThan(least);
    expect(sessionBytes / bytes).toBeLessThan(most);
  },
  LIMIT_MS,
);

test("the session of a tiny graph is measured as small", async () => {
  const local = await openPackage("models", { name: "diabetes" });
  const { sessionBytes } = await measurePackage(local, "native");
  expect(sessionBytes).toBeGreaterThan(0);
  expect(sessionBytes).toBeLessThan(MIB);
});

const BUDGET_MB = 80;
const MODELS = 24;

/** MiB that a server holds in sessions when it has used each of 24 forests twice. They take some 13 MiB each. */
async function growth(sessionBytes: number | undefined): Promise<number> {
  const artifact = await forest(40);
  // Without features nothing tells that the graph has trees, and the estimate is twice the file.
  const manifest = {
    task: "tensor",
    features: undefined,
    labels: undefined,
    scores: undefined,
    examples: [],
  };
  const store = await manyModels(MODELS, {
    artifact,
    manifest,
    ...(sessionBytes && { sessionBytes }),
  });
  onTestFinished(store.remove);
  const env = { STORE: store.folder, SESSION_BUDGET_MB: String(BUDGET_MB), ACCESS_LOG: "false" };
  const server = await startNodeServer({ env });
  onTestFinished(async () => void (await server.stop()));
  let before = 0;
  for (const name of [...store.names, ...store.names]) {
    const answer = await server.fetch(`/v1/models/${name}/predict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"inputs":{"features":[[5.1,3.5,1.4,0.2]]}}',
    });
    expect(answer.status, await answer.text()).toBe(200);
    // The first session brings what all of them share.
    before ||= (await residentMemory(server.pid)).now - (sessionBytes ?? 0) / MIB;
  }
  return (await residentMemory(server.pid)).now - before;
}

test.skipIf(process.platform !== "linux")(
  "a server stays within its budget by what was measured, where an estimate would be too low",
  async () => {
    const { folder, remove } = await manyModels(1, { artifact: await forest(40) });
    onTestFinished(remove);
    const local = await openPackage(folder, { name: "iris" });
    const { sessionBytes } = await measurePackage(local, "native");
    const [measured, estimated] = [await growth(sessionBytes), await growth(undefined)];
    // Buffers that wait for a collection, and what malloc keeps, come on top.
    expect(measured).toBeLessThan(BUDGET_MB * 2);
    expect(estimated).toBeGreaterThan(measured * 1.3);
  },
  LIMIT_MS,
);
