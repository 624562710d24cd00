import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import type { Manifest } from "../../functions/model/manifest.ts";
import { startS3 } from "../../cli/local/s3-server.ts";
import {
  addLines,
  nearcast,
  nearcastProcess,
  removeLines,
  s3Environment,
  snapshot,
  succeed,
  temporaryFolder,
} from "./nearcast.ts";

const LIMIT_MS = 300_000;
const STORE = "s3://models/prefix";

afterAll(removeLines);

/** `line` 1 and 2, recorded. */
async function twoLines(): Promise<string> {
  const models = await temporaryFolder();
  await addLines(models);
  return models;
}

/** Another version, or another model, made of `line@2`. */
async function copyLine(
  models: string,
  { name = "line", version, outputs = true }: { name?: string; version: string; outputs?: boolean },
): Promise<void> {
  const folder = join(models, name, version);
  await mkdir(join(models, name), { recursive: true });
  await cp(join(models, "line/2"), folder, { recursive: true });
  await changeManifest(folder, (manifest) => {
    Object.assign(manifest, { name, version });
    if (!outputs) for (const example of manifest.examples) delete example.output;
  });
}

async function changeManifest(folder: string, change: (manifest: Manifest) => void) {
  const path = join(folder, "model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as Manifest;
  change(manifest);
  await writeFile(path, JSON.stringify(manifest));
}

async function modelsIn(store: string[], env: Record<string, string> = {}): Promise<unknown> {
  const listed = await succeed(["list", "--json", "--store", ...store], env);
  return (JSON.parse(listed) as { models: unknown }).models;
}

test(
  "a bare name is the newest version that is no draft, and the draft is told of",
  async () => {
    const models = await twoLines();
    await copyLine(models, { version: "3", outputs: false });
    const store = join(await temporaryFolder(), "store");
    const args = ["push", "line", "--models", models, "--to", store, "--runtime", "native"];
    const { code, stderr, stdout } = await nearcast(args);
    expect(code).toBe(0);
    expect(stderr).toMatch(/not pushed: line@3 is a draft: \d of its \d examples have no recorded/);
    expect(stderr).toContain("nearcast verify line@3 --record");
    expect(stdout).toContain("line@2 is in");
    expect(stdout).toContain(`nearcast release line@2 --store ${store}`);
    expect(await modelsIn([store])).toEqual([{ name: "line", versions: ["2"], released: null }]);
    expect((await nearcast(["push", "line@3", "--models", models, "--to", store])).code).toBe(1);
  },
  LIMIT_MS,
);

test(
  "everything is pushed and released, drafts left out, and once more without harm",
  async () => {
    const models = await twoLines();
    await copyLine(models, { version: "10" });
    await copyLine(models, { version: "11", outputs: false });
    await copyLine(models, { name: "draft", version: "1", outputs: false });
    await copyLine(models, { name: "other", version: "7" });
    await copyLine(models, { name: "other", version: "8" });
    await writeFile(join(models, "other/release.json"), '{ "stable": "7" }');
    const s3 = await startS3({ buckets: ["models"] });
    onTestFinished(() => s3.close());
    const env = s3Environment(s3);
    const native = ["--runtime", "native"];
    const push = ["push", "--all", "--release", "--models", models, "--to", STORE, ...native];
    const pushed = await nearcast([...push, "--by", "ada", "--why", "the first"], { env });
    expect(pushed).toMatchObject({ code: 0 });
    for (const said of ["not pushed: draft@1 is a draft", "not pushed: line@11 is a draft"])
      expect(pushed.stderr).toContain(said);
    expect(pushed.stderr).toContain("uploaded line/10/model.json (");
    expect(pushed.stdout).toContain("line@10 answers.\nother@7 answers.\n");
    const all = [
      { name: "line", versions: ["1", "2", "10"], released: "10" },
      { name: "other", versions: ["7", "8"], released: "7" },
    ];
    expect(await modelsIn([STORE], env)).toEqual(all);
    const history = ["history", "line", "--json", "--store", STORE];
    expect(JSON.parse(await succeed(history, env))).toMatchObject({
      history: [{ version: "10", by: "ada", why: "the first" }],
    });

    s3.requests.length = 0;
    const again = await succeed(push, env);
    expect(again).toContain("line@10 answers already.\nother@7 answers already.\n");
    expect(s3.requests.filter(({ method }) => method === "PUT")).toEqual([]);

    // A release that others have changed since stays as it is.
    await succeed(["release", "line@2", "--store", STORE], env);
    expect(await succeed(push, env)).toContain(
      "line@2 goes on answering: line@10 was in the store before, and is not released over it.",
    );
    expect(await modelsIn([STORE], env)).toMatchObject([{ released: "2" }, { released: "7" }]);
    // A version that is new in the store, or that is named, is released.
    await succeed(["verify", "line@11", "--record", "--models", models]);
    const named = ["push", "other@8", "--release", "--models", models, "--to", STORE, ...native];
    expect(await succeed(named, env)).toContain("other@8 answers. It was 7.");
    expect(await succeed(push, env)).toContain("line@11 answers. It was 2.\nother@8 goes on");
  },
  LIMIT_MS,
);

test(
  "the local bucket of wrangler is filled and released in one call",
  async () => {
    const models = await twoLines();
    const local = ["r2://nearcast-models", "--local", "--persist-to", await temporaryFolder()];
    const push = ["push", "--all", "--release", "--models", models, "--runtime", "native", "--to"];
    expect(await succeed([...push, ...local], {}, nearcastProcess)).toContain("line@2 answers.");
    const listed = ["list", "--json", "--store", ...local];
    expect(JSON.parse(await succeed(listed, {}, nearcastProcess))).toEqual({
      models: [{ name: "line", versions: ["1", "2"], released: "2" }],
    });
  },
  LIMIT_MS,
);

test(
  "of many versions one that must not be published stops them all",
  async () => {
    const models = await twoLines();
    await changeManifest(join(models, "line/2"), ({ examples: [first] }) => {
      (first as { output: object }).output = { value: 1234 };
    });
    const store = join(await temporaryFolder(), "store");
    const args = ["--all", "--release", "--models", models, "--to", store];
    const { code, stderr, stdout } = await nearcast(["push", ...args, "--runtime", "native"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("On native the examples of line@2 fail");
    await expect(snapshot(store)).rejects.toThrow("ENOENT");
  },
  LIMIT_MS,
);

test("what cannot be pushed says what is missing", async () => {
  const models = await temporaryFolder();
  const to = ["--models", models, "--to", join(models, "store")];
  for (const [args, code, said] of [
    [["push", ...to], 2, "say what to push: a model, a version as <model>@<version>, or --all"],
    [["push", "line", "--all", ...to], 2, "give either line or --all"],
    [["push", "line", "--why", "x", ...to], 2, "add --release"],
    [["push", "--all", ...to], 1, `${models} has no model: it should have <model>/<version>/`],
    [["push", "line", ...to], 1, `There is no model line in ${models}`],
    [["push", "--all", "--to", models, "--models", "modelz"], 1, "There is no folder modelz"],
  ] as const) {
    const outcome = await nearcast(args);
    expect(outcome).toMatchObject({ code, stdout: "" });
    expect(outcome.stderr).toContain(said);
  }
  await rm(join(models, "store"), { recursive: true, force: true });
});
