import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";

const MODELS = join(import.meta.dirname, "../../models");
const INPUT = { inputs: [5.1, 3.5, 1.4, 0.2] };

let server: NodeServer;
let store: string;
afterEach(async () => {
  await server.stop();
  await rm(store, { recursive: true });
});

const ready = async () => {
  const answer = await server.fetch("/ready");
  return { status: answer.status, body: await answer.json() };
};

async function predict(model: string): Promise<number> {
  const answer = await server.fetch(`/v1/models/${model}/predict`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(INPUT),
  });
  await answer.arrayBuffer();
  return answer.status;
}

test("readiness counts released models that could not be read, until they can be", async () => {
  store = await mkdtemp(join(tmpdir(), "nearcast-failing-"));
  await cp(join(MODELS, "iris"), join(store, "iris"), { recursive: true });
  const manifest = join(store, "iris/1/model.json");
  const text = await readFile(manifest, "utf8");
  await writeFile(manifest, text.replace('"task"', '"tusk"'));
  server = await startNodeServer({
    env: { STORE: store, RELEASE_TTL_SECONDS: "0" },
  });

  // Nobody has asked for the model yet. A name without a model does not count as failing.
  expect(await predict("nothing")).toBe(404);
  expect((await ready()).body).toEqual({ status: "ready", store: "reachable" });

  expect(await predict("iris")).toBe(502);
  expect(await predict("iris")).toBe(502);
  expect(await ready()).toEqual({
    status: 200,
    body: { status: "ready", store: "reachable", failing: 1 },
  });

  await writeFile(manifest, text);
  expect(await predict("iris")).toBe(200);
  expect((await ready()).body).toEqual({ status: "ready", store: "reachable" });
});

test("a model that is taken out of the store does not fail any more", async () => {
  store = await mkdtemp(join(tmpdir(), "nearcast-failing-"));
  await cp(join(MODELS, "iris"), join(store, "iris"), { recursive: true });
  await writeFile(join(store, "iris/release.json"), '{"stable": "missing"}');
  server = await startNodeServer({
    env: { STORE: store, RELEASE_TTL_SECONDS: "0" },
  });
  expect(await predict("iris")).toBe(502);
  expect((await ready()).body).toMatchObject({ failing: 1 });
  await rm(join(store, "iris"), { recursive: true });
  expect(await predict("iris")).toBe(404);
  expect((await ready()).body).not.toHaveProperty("failing");
});
