import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startNodeServer } from "../harness/node-server.ts";

const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);

/** Folders in which ONNX Runtime's telemetry would leave its id of the device, its events and its log. */
async function emptyFolders() {
  const folder = await mkdtemp(join(tmpdir(), "telemetry-"));
  const [home, temporary] = [join(folder, "home"), join(folder, "tmp")];
  await Promise.all([mkdir(home), mkdir(temporary)]);
  const env = { HOME: home, XDG_CACHE_HOME: join(home, ".cache"), TMPDIR: temporary };
  const traces = async () =>
    (await readdir(folder, { recursive: true })).filter((name) =>
      /Microsoft|mat-debug|\.ses$/.test(name),
    );
  return { env, traces };
}

test.each(["0", "1"])("a server with WORKERS=%s reports nothing of its use", async (workers) => {
  const { env, traces } = await emptyFolders();
  const server = await startNodeServer({ env: { ...env, WORKERS: workers } });
  const answer = await server.fetch("/v1/models/iris/predict", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: '{"inputs":[5.1,3.5,1.4,0.2]}',
  });
  const { status } = answer;
  await server.stop();
  expect(status).toBe(200);
  expect(await traces()).toEqual([]);
});

test("nor does the command", async () => {
  const { env, traces } = await emptyFolders();
  await run(process.execPath, ["cli/nearcast.ts", "verify", "iris"], {
    cwd: root,
    env: { PATH: process.env["PATH"], ...env },
  });
  expect(await traces()).toEqual([]);
});
