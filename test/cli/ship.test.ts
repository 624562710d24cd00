import { createHash } from "node:crypto";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { expect, onTestFinished, test, vi } from "vitest";
import { releaseVersion, rollbackRelease } from "../../cli/releases.ts";
import { startTrial } from "../../cli/rollouts.ts";
import { ship, type ShipOptions } from "../../cli/ship.ts";
import { createApp } from "../../functions/app.ts";
import { readRelease } from "../../functions/model/release.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { createNodePlatform } from "../../functions/node.ts";
import { createService } from "../../functions/service.ts";
import { root, temporaryFolder } from "./nearcast.ts";

// Whether a version is good is another test's subject.
vi.mock("../../cli/verify.ts", () => ({ verifyPackage: () => Promise.resolve() }));
vi.mock("../../cli/evaluate/gate.ts", () => ({
  judge: () => Promise.resolve({ passed: true, text: "It is better." }),
}));

interface Example {
  input: unknown;
  output?: unknown;
}

type Manifest = Record<string, unknown> & { examples: Example[] };

const NOTE = { by: "test" };

/** A store that has released `iris@1`, and a models folder with `iris@2` besides. */
async function project(
  change: (manifest: Manifest, folder: string) => Promise<void> = async () => {},
) {
  const [stored, models] = [await temporaryFolder(), await temporaryFolder()];
  await cp(join(root, "models/iris"), join(models, "iris"), { recursive: true });
  await rm(join(models, "iris/release.json"));
  await cp(join(models, "iris/1"), join(stored, "iris/1"), { recursive: true });
  await cp(join(models, "iris/1"), join(models, "iris/2"), { recursive: true });
  await changeManifest(models, async (manifest, folder) => {
    manifest["version"] = "2";
    await change(manifest, folder);
  });
  const store = createFolderStore(stored);
  await releaseVersion(store, "iris", "1", NOTE);
  return { stored, store, models };
}

async function changeManifest(
  models: string,
  change: (manifest: Manifest, folder: string) => Promise<void>,
): Promise<void> {
  const folder = join(models, "iris/2");
  const manifest = JSON.parse(await readFile(join(folder, "model.json"), "utf8")) as Manifest;
  await change(manifest, folder);
  await writeFile(join(folder, "model.json"), JSON.stringify(manifest));
}

/** All examples go to a file, which the deployment does not show. */
async function keepInFile(manifest: Manifest, folder: string): Promise<void> {
  const text = manifest.examples.map((example) => JSON.stringify(example)).join("\n");
  const sha256 = createHash("sha256").update(text).digest("hex");
  const examplesFile = { file: "examples.jsonl", sha256, bytes: text.length };
  await writeFile(join(folder, "examples.jsonl"), text);
  Object.assign(manifest, { examples: [], examplesFile });
}

function recordWrong(manifest: Manifest): void {
  for (const example of manifest.examples) example.output = { label: "rose", scores: [] };
}

async function serveAt(answer: (request: Request) => Response | Promise<Response>) {
  const server = serve({ fetch: answer, port: 0, hostname: "127.0.0.1" });
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function deployment(stored: string): Promise<string> {
  const variables = { STORE: stored, ACCESS_LOG: "false", RELEASE_TTL_SECONDS: "1" };
  return serveAt(createApp(createService(createNodePlatform(variables))).fetch);
}

async function shipIris(
  { store, models }: Awaited<ReturnType<typeof project>>,
  url?: string,
  steps?: ShipOptions["steps"],
) {
  const how = { tolerance: 1e-4, waitSeconds: 0 };
  const options = { models, dryRun: false, tolerance: 1e-4, minGain: 0, note: NOTE };
  const lines: string[] = [];
  for await (const line of ship(store, "iris", {
    ...options,
    ...(url && { deployment: { ...how, url } }),
    ...(steps && { steps }),
  }))
    lines.push(line);
  return lines;
}

test("a release that somebody took back while it was asked stays taken back", async () => {
  const iris = await project();
  let isFirst = true;
  const url = await serveAt(async () => {
    if (isFirst) await rollbackRelease(iris.store, "iris", { by: "operator" });
    isFirst = false;
    return new Response("{}", { status: 500 });
  });
  await expect(shipIris(iris, url)).rejects.toThrow(
    /iris@2 fails at .*iris@1 was released in the meantime, and stays/,
  );
  expect((await readRelease(iris.store, "iris"))?.release.stable).toBe("1");
});

test("another model by the number of a released one is not passed over", async () => {
  const iris = await project();
  await shipIris(iris);
  expect(await shipIris(iris)).toEqual([expect.stringContaining("nothing to ship")]);
  await changeManifest(iris.models, async (manifest) => {
    manifest["description"] = "Another one.";
  });
  await expect(shipIris(iris)).rejects.toThrow("iris@2 in the store is another one");
});

test("a model whose examples are all in a file is asked one of them", async () => {
  const good = await project(keepInFile);
  const lines = await shipIris(good, await deployment(good.stored));
  expect(lines.at(-1)).toBe("iris@2: 1 example is answered as recorded");
  const bad = await project(async (manifest, folder) => {
    recordWrong(manifest);
    await keepInFile(manifest, folder);
  });
  await expect(shipIris(bad, await deployment(bad.stored))).rejects.toThrow(
    /iris@2 at .* answers otherwise than recorded/,
  );
});

const STEPS = { percents: [5, 100], everySeconds: 600 };

test("with steps a version is put on trial, and asked by its number", async () => {
  const iris = await project();
  const lines = await shipIris(iris, await deployment(iris.stored), STEPS);
  expect(lines.slice(-2)).toEqual([
    "iris@2 is on trial.",
    "iris@2: 4 examples are answered as recorded",
  ]);
  const release = (await readRelease(iris.store, "iris"))?.release;
  expect(release?.stable).toBe("1");
  expect(release?.candidates).toEqual([expect.objectContaining({ version: "2", percent: 5 })]);
  expect(release?.policy?.steps).toEqual(STEPS);
  expect(await shipIris(iris, undefined, STEPS)).toEqual([
    expect.stringContaining("nothing to ship"),
  ]);
});

test("a bad trial ends, and what is released goes on answering", async () => {
  const iris = await project(async (manifest) => recordWrong(manifest));
  await expect(shipIris(iris, await deployment(iris.stored), STEPS)).rejects.toThrow(
    /iris@2 fails at .* answers otherwise than recorded.* iris@1 answers again\.$/,
  );
  const release = (await readRelease(iris.store, "iris"))?.release;
  expect([release?.stable, release?.candidates]).toEqual(["1", []]);
  // It was tried, and is not tried again.
  expect(await shipIris(iris, undefined, STEPS)).toEqual([
    expect.stringContaining("nothing to ship"),
  ]);
});

async function addThird({ models, stored }: Awaited<ReturnType<typeof project>>): Promise<void> {
  const folder = join(stored, "iris/3");
  await cp(join(models, "iris/1"), folder, { recursive: true });
  const manifest = await readFile(join(folder, "model.json"), "utf8");
  await writeFile(join(folder, "model.json"), manifest.replace('"version": "1"', '"version": "3"'));
}

test("while another version is on trial nothing is pushed", async () => {
  const iris = await project();
  await addThird(iris);
  const trial = { share: { percent: 10 }, policy: { rollback: {}, tolerance: {} } };
  await startTrial(iris.store, "iris", "3", trial, NOTE);
  await expect(shipIris(iris, undefined, STEPS)).rejects.toThrow(/iris@3 has 10 % already/);
  expect(await iris.store.list("iris/2/")).toEqual([]);
  const release = (await readRelease(iris.store, "iris"))?.release;
  expect(release?.candidates.map(({ version }) => version)).toEqual(["3"]);
});

test("the first version of a model has nothing to be on trial against", async () => {
  const iris = await project();
  const store = createFolderStore(await temporaryFolder());
  expect((await shipIris({ ...iris, store }, undefined, STEPS)).at(-1)).toBe("iris@2 is released.");
  expect((await readRelease(store, "iris"))?.release.stable).toBe("2");
});
