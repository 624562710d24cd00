import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import { startNodeServer } from "../harness/node-server.ts";
import { targets } from "../harness/targets.ts";
import { putFixtures } from "./put-fixtures.ts";

/** References out of the package, to a file beside it that it does not list, and an unknown operator. */
const MODELS = ["parent", "absolute", "sibling", "operator"];
const root = resolve(import.meta.dirname, "../..");

/** A folder in which the file that `sibling` refers to lies, and would be read. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearcast-outside-"));
  await writeFile(join(folder, "unlisted.data"), Buffer.from(Float32Array.of(7).buffer));
});
afterAll(() => rm(folder, { recursive: true }));

type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

async function expectRefusals(fetch: Fetch): Promise<void> {
  for (const model of MODELS) {
    const response = await fetch(`/v1/models/${model}/predict`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs: { x: [1] } }),
    });
    const { code, detail } = (await response.json()) as { code?: string; detail?: string };
    expect([model, response.status, code]).toEqual([model, 502, "model_corrupt"]);
    expect(detail).toContain(`cannot load the artifact of ${model}`);
  }
}

test.each(inThisFile(["node", "nodeWasm", "lambda", "worker"] as const))(
  "what is not in the package is not read: %s",
  async (name) => {
    // If there is a local tier, artifacts are loaded by path from the tier's folder.
    const target = await targets[name](name === "worker" ? {} : { env: { CACHE_DIR: folder } });
    try {
      await putFixtures(target, "breaking", MODELS);
      await expectRefusals(target.fetch);
      expect((await target.fetch("/health")).status).toBe(200);
    } finally {
      await target.stop();
    }
  },
);

test.each(["0", "1"])(
  "nor where artifacts are loaded from bytes, with WORKERS=%s",
  async (workers) => {
    const server = await startNodeServer({
      entry: join(root, "entries/server.ts"),
      cwd: folder,
      env: { STORE: join(root, "test/fixtures/breaking"), WORKERS: workers },
    });
    try {
      await expectRefusals(server.fetch);
    } finally {
      await server.stop();
    }
  },
);
