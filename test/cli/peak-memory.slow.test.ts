import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { targets, type TargetOptions } from "../harness/targets.ts";
import { succeed } from "./nearcast.ts";

const LIMIT_MS = 300_000;
/** The example's run makes a tensor of so many float32. */
const ELEMENTS = 100_000_000;
const BYTES = 4 * ELEMENTS;

let models: string;
let path: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "nearcast-peak-"));
  path = join(models, "allocate/1/model.json");
  const allocate = join(import.meta.dirname, "../fixtures/breaking/allocate");
  await cp(allocate, join(models, "allocate"), { recursive: true });
  await writeFile(join(models, "allocate/release.json"), '{"stable":"1"}');
  await change((manifest) => ({ ...manifest, examples: [{ input: { elements: [ELEMENTS] } }] }));
  await succeed(["verify", "allocate", "--models", models, "--record", "--runtime", "native"]);
}, LIMIT_MS);
afterAll(() => rm(models, { recursive: true }));

interface Written {
  artifact: { peakBytes: number };
}

async function change(next: (manifest: Written) => object): Promise<void> {
  const manifest = JSON.parse(await readFile(path, "utf8")) as Written;
  await writeFile(path, JSON.stringify(next(manifest)));
}

/** What the model answers on a platform. */
async function ask(platform: keyof typeof targets, env: TargetOptions["env"] = {}) {
  const target = await targets[platform]({ models, env });
  try {
    const body = JSON.stringify({ inputs: { elements: [5] } });
    const answer = await target.fetch("/v1/models/allocate/predict", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    });
    return { status: answer.status, body: (await answer.json()) as unknown, logs: target.logs() };
  } finally {
    await target.stop();
  }
}

test("what the examples take is measured, and a process with less refuses the version", async () => {
  const { artifact } = JSON.parse(await readFile(path, "utf8")) as Written;
  expect(artifact.peakBytes).toBeGreaterThan(BYTES);
  expect(artifact.peakBytes).toBeLessThan(4 * BYTES);
  expect(await ask("node")).toMatchObject({ status: 200 });
  const { status, body, logs } = await ask("node", { WORKERS: "1", WORKER_MEMORY_MB: "300" });
  expect([status, body]).toEqual([507, expect.objectContaining({ code: "model_too_large" })]);
  // No process had to be ended for it.
  expect(logs).not.toContain('"reason":"memory"');
});

test.each(["node", "lambda"] as const)(
  "%s refuses what took more memory than there is",
  async (platform) => {
    await change(({ artifact, ...manifest }) => ({
      ...manifest,
      artifact: { ...artifact, peakBytes: 2 ** 50 },
    }));
    expect(await ask(platform)).toMatchObject({
      status: 507,
      body: {
        code: "model_too_large",
        detail: expect.stringContaining(`takes ${2 ** 50} bytes of memory to load and run`),
      },
    });
  },
);
